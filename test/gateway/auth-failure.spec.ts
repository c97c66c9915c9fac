import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import {
  BadGatewayException,
  BadRequestException,
  ForbiddenException,
  GatewayTimeoutException,
  HttpException,
  InternalServerErrorException,
  RequestTimeoutException,
  ServiceUnavailableException,
  UnauthorizedException,
} from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { WsException } from '@nestjs/websockets';
import { RealtimeException } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { authFailureOf, type AuthFailure } from '../../lib/gateway/identity/auth-failure.js';

/** An error of a library that is not installed here. */
const like = (properties: object, message = 'failed') => Object.assign(new Error(message), properties);

const cases: [failure: AuthFailure, what: string, thrown: unknown][] = [
  ['refused', 'UnauthorizedException', new UnauthorizedException()],
  ['refused', 'ForbiddenException', new ForbiddenException()],
  ['refused', 'BadRequestException', new BadRequestException()],
  ['outage', 'RequestTimeoutException', new RequestTimeoutException()],
  ['outage', 'an HttpException 429', new HttpException('slow down', 429)],
  ['outage', 'InternalServerErrorException', new InternalServerErrorException()],
  ['outage', 'BadGatewayException', new BadGatewayException()],
  ['outage', 'ServiceUnavailableException', new ServiceUnavailableException()],
  ['outage', 'GatewayTimeoutException', new GatewayTimeoutException()],
  ['refused', 'WsException', new WsException('no such user')],
  ['refused', 'RealtimeException UNAUTHENTICATED', new RealtimeException('UNAUTHENTICATED')],
  ['refused', 'RealtimeException of the app', new RealtimeException('BANNED')],
  ['outage', 'RealtimeException UNAVAILABLE', new RealtimeException('UNAVAILABLE')],
  ['outage', 'RealtimeException TIMEOUT', new RealtimeException('TIMEOUT')],
  ['refused', 'UnauthorizedError of express-jwt', like({ name: 'UnauthorizedError', status: 401 })],
  ['refused', 'JWTExpired of jose', like({ code: 'ERR_JWT_EXPIRED' })],
  ['refused', 'JWSInvalid of jose', like({ code: 'ERR_JWS_INVALID' })],
  ['refused', 'JWSSignatureVerificationFailed', like({ code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' })],
  ['refused', 'JWKSNoMatchingKey of jose', like({ code: 'ERR_JWKS_NO_MATCHING_KEY' })],
  ['outage', 'JWKSTimeout of jose', like({ code: 'ERR_JWKS_TIMEOUT' })],
  ['unknown', 'JOSEError for a JWKS that is no 200', like({ code: 'ERR_JOSE_GENERIC' })],
  ['refused', 'an expired token of fast-jwt', like({ code: 'FAST_JWT_EXPIRED' })],
  ['outage', 'a key that fast-jwt could not fetch', like({ code: 'FAST_JWT_KEY_FETCHING_ERROR' })],
  ['refused', 'a revoked token of firebase-admin', like({ code: 'auth/id-token-revoked' })],
  ['unknown', 'auth/internal-error of firebase-admin', like({ code: 'auth/internal-error' })],
  ['refused', 'a 401 of an identity provider by axios', like({ response: { status: 401 } })],
  ['outage', 'a 502 of an identity provider by axios', like({ response: { status: 502 } })],
  [
    'outage',
    'a key that jwks-rsa could not fetch',
    like({ name: 'JsonWebTokenError' }, 'error in secret or public key callback: connect ECONNREFUSED'),
  ],
  [
    'refused',
    'a key id that jwks-rsa does not find',
    like(
      { name: 'JsonWebTokenError' },
      "error in secret or public key callback: Unable to find a signing key that matches 'x'",
    ),
  ],
  ...['ECONNREFUSED', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].map(
    (code): [AuthFailure, string, unknown] => ['outage', code, like({ code })],
  ),
  ['outage', 'an aborted request', new DOMException('aborted', 'AbortError')],
  ['outage', 'a request that timed out', new DOMException('timed out', 'TimeoutError')],
  ['unknown', 'TypeError', new TypeError("Cannot read properties of undefined (reading 'sub')")],
  ['unknown', 'Error', new Error('bad')],
  ['unknown', 'a text', 'bad'],
  ['unknown', 'undefined', undefined],
];

it.each(cases)('%s: %s', (failure, _what, thrown) => {
  expect(authFailureOf(thrown)).toBe(failure);
});

describe('jsonwebtoken, as @nestjs/jwt uses it', () => {
  const jwt = new JwtService({ secret: 'right' });
  const thrownBy = (verify: () => Promise<unknown>) => verify().then(() => undefined, authFailureOf);

  it.each<[string, string | undefined]>([
    ['no token', undefined],
    ['no JWT', 'x'],
    ['a wrong signature', jwt.sign({ sub: 'ann' }, { secret: 'wrong' })],
    ['an expired token', jwt.sign({ sub: 'ann' }, { expiresIn: -1 })],
    ['a token that is not valid yet', jwt.sign({ sub: 'ann' }, { notBefore: 60 })],
  ])('refuses %s', async (_what, token) => {
    expect(await thrownBy(() => jwt.verifyAsync(token as string))).toBe('refused');
  });

  it('does not treat a missing secret of the app as a refusal', async () => {
    const forgetful = new JwtService({});
    expect(await thrownBy(() => forgetful.verifyAsync(jwt.sign({})))).toBe('outage');
  });
});

describe('fetch', () => {
  it('to a closed port is an outage', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const thrown: unknown = await fetch(`http://127.0.0.1:${port}`).catch((error: unknown) => error);
    expect(authFailureOf(thrown)).toBe('outage');
  });
});
