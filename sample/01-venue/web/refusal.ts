import { RequestError } from 'nestjs-realtime/client';

/** What to tell the person in front of the screen: what happened, what did not, and what nobody can know. */
export function inWords(error: unknown): string {
  switch (error instanceof RequestError ? error.code : 'DISCONNECTED') {
    case 'DISCONNECTED':
      return 'The connection broke before the answer came, so this may or may not have been done. Look at the floor before you repeat it.';
    case 'TIMEOUT':
      return 'No answer came in time, so this may or may not have been done. Look at the floor before you repeat it.';
    case 'CLOSED':
      return 'This window is signed out: nothing more is sent from it.';
    case 'RATE_LIMITED':
      return 'That was too much at once, and was not done. Wait a second and try again.';
    case 'TOO_LARGE':
      return 'That is too long to send. Nothing was changed.';
    default:
      return (error as RequestError).message;
  }
}
