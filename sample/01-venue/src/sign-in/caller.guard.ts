import type { IncomingMessage } from 'node:http';
import {
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  UnauthorizedException,
} from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { identify, TOKEN_COOKIE } from './identity.js';

/** The user id of HTTP requests without a token, for example from a public booking form. */
export const VENUE_USER = 'venue';

type CallerRequest = IncomingMessage & { callerId?: string };

/** Accepts requests with a valid token or without one; refuses invalid tokens. */
@Injectable()
export class CallerGuard implements CanActivate {
  constructor(private readonly jwt: JwtService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<CallerRequest>();
    const token = tokenOf(request);
    request.callerId = token === undefined ? VENUE_USER : await this.userOf(token);
    return true;
  }

  private async userOf(token: string): Promise<string> {
    try {
      return (await identify(this.jwt, token)).userId;
    } catch {
      throw new UnauthorizedException('This token is invalid or has expired: sign in again.');
    }
  }
}

export const Caller = createParamDecorator(
  (_data: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<CallerRequest>().callerId,
);

const COOKIE = new RegExp(`(?:^|;\\s*)${TOKEN_COOKIE}=([^;]+)`);

function tokenOf({ headers }: IncomingMessage): string | undefined {
  return /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? COOKIE.exec(headers.cookie ?? '')?.[1];
}
