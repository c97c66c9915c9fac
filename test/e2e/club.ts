import { UnauthorizedException } from '@nestjs/common';
import { IsString } from 'class-validator';
import {
  OnMessage,
  RealtimeGateway,
  defineContract,
  type Connection,
  type RealtimeOptions,
} from 'nestjs-realtime';

export const GOOD = 't0ken-g00d';
export const BAD = 't0ken-b4d';

class Text {
  @IsString() text!: string;
}
const club = defineContract({ client: { whoami: { payload: null, reply: Text } } });

/** The user ids that handleConnection has seen. */
export const connected: string[] = [];

@RealtimeGateway({ path: '/clubs/:club', contract: club })
export class ClubGateway {
  handleConnection({ userId }: Connection): void {
    connected.push(String(userId));
  }

  @OnMessage(club, 'whoami')
  whoami(_nothing: null, { userId }: Connection): Text {
    return { text: String(userId) };
  }
}

/** The `good` token is Ann's, `bad` makes `authenticate` throw, any other is unknown. */
export const members: RealtimeOptions = {
  authenticate: async ({ token }) => {
    if (token === BAD) throw new UnauthorizedException(`no such token: ${token}`);
    return token === GOOD ? { userId: 'ann' } : null;
  },
};
