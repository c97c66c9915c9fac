import type { JwtService } from '@nestjs/jwt';

export const TOKEN_COOKIE = 'venue_token';
export const TOKEN_SECONDS = 12 * 60 * 60;

export interface Identity {
  readonly userId: string;
  readonly expiresAt: number;
}

/** The identity of a token; rejects if it is invalid or has expired. Used by the guard and by the gateway. */
export async function identify(jwt: JwtService, token: string): Promise<Identity> {
  const { sub, exp } = await jwt.verifyAsync<{ sub: string; exp: number }>(token);
  return { userId: sub, expiresAt: exp * 1000 };
}
