import type { JwtService } from '@nestjs/jwt';

export const TOKEN_COOKIE = 'venue_token';
export const TOKEN_SECONDS = 12 * 60 * 60;

export interface Identity {
  readonly userId: string;
  readonly expiresAt: number;
}

/** Who a token speaks for; rejects when it is not ours or has expired. The guard and the socket both ask here. */
export async function identify(jwt: JwtService, token: string): Promise<Identity> {
  const { sub, exp } = await jwt.verifyAsync<{ sub: string; exp: number }>(token);
  return { userId: sub, expiresAt: exp * 1000 };
}
