import type { ServerResponse } from 'node:http';
import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { Length } from 'class-validator';
import { TOKEN_COOKIE, TOKEN_SECONDS } from './identity.js';

class SignIn {
  @Length(1, 60, { message: 'a name has 1 to 60 characters' }) userId!: string;
}

/** Signs a token for any name, since this is a sample. A real app checks a password first. */
@Controller('login')
export class SignInController {
  constructor(private readonly jwt: JwtService) {}

  @Post()
  @HttpCode(200)
  async signIn(
    @Body() { userId }: SignIn,
    @Res({ passthrough: true }) response: ServerResponse,
  ): Promise<{ token: string }> {
    const token = await this.jwt.signAsync({ sub: userId });
    const cookie = `${TOKEN_COOKIE}=${token}; Path=/; Max-Age=${TOKEN_SECONDS}; HttpOnly; SameSite=Strict`;
    response.setHeader('Set-Cookie', cookie);
    return { token };
  }
}
