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

/** Who acts when nobody has signed in: the booking form on the house's website, say. */
export const HOUSE = 'house';

type CallerRequest = IncomingMessage & { callerId?: string };

/** Lets everybody in, but nobody under a wrong name. */
@Injectable()
export class CallerGuard implements CanActivate {
  constructor(private readonly jwt: JwtService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<CallerRequest>();
    const token = tokenOf(request);
    request.callerId = token === undefined ? HOUSE : await this.userOf(token);
    return true;
  }

  private async userOf(token: string): Promise<string> {
    try {
      return (await identify(this.jwt, token)).userId;
    } catch {
      throw new UnauthorizedException('This token is not ours or has expired: sign in again.');
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
