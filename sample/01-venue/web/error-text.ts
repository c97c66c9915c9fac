import { RequestError } from 'nestjs-realtime/client';

/** The text for the user: what failed, and whether the change may have been made. */
export function errorText(error: unknown): string {
  switch (error instanceof RequestError ? error.code : 'DISCONNECTED') {
    case 'DISCONNECTED':
      return 'The connection was lost before the reply arrived, so this may or may not have been done. Check the floor before you repeat it.';
    case 'TIMEOUT':
      return 'No reply arrived in time, so this may or may not have been done. Check the floor before you repeat it.';
    case 'CLOSED':
      return 'This window is signed out and sends nothing more.';
    case 'RATE_LIMITED':
      return 'Too many requests at once. Nothing was changed. Wait a second and try again.';
    case 'TOO_LARGE':
      return 'That is too long to send. Nothing was changed.';
    default:
      return (error as RequestError).message;
  }
}
