import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ConnectionRegistry, RealtimeModule, type RealtimeOptions } from 'nestjs-realtime';
import { TestClient } from 'nestjs-realtime/testing';
import { expect, it, onTestFinished } from 'vitest';
import { LobbyGateway, Visits } from './lobby.js';

/** An app that listens on a Unix socket for a proxy on the same machine. */
async function unixLobby(options: RealtimeOptions) {
  @Module({ imports: [RealtimeModule.forRoot(options)], providers: [LobbyGateway, Visits] })
  class AppModule {}
  const folder = await mkdtemp(join(tmpdir(), 'lobby-'));
  const path = join(folder, 'app.sock');
  const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
  await app.listen(path);
  onTestFinished(async () => {
    await app.close();
    await rm(folder, { recursive: true });
  });
  const open = (forwardedFor: string) => {
    const headers = { 'X-Forwarded-For': forwardedFor, Host: 'app.example.com' };
    const client = new TestClient(`ws+unix://${path}:/lobby`, { headers });
    onTestFinished(() => client.socket.terminate());
    return client;
  };
  return { open, registry: app.get(ConnectionRegistry, { strict: false }) };
}

it('behind a Unix socket trustProxy: loopback trusts the proxy, so each client has its own limits', async () => {
  const { open, registry } = await unixLobby({ trustProxy: 'loopback', maxConnectionsPerIp: 1 });
  await open('203.0.113.1').hello();
  await open('203.0.113.2').hello();
  await expect(open('203.0.113.2').hello()).rejects.toThrow('429');
  expect([...registry].map(({ ip }) => ip)).toEqual(['203.0.113.1', '203.0.113.2']);
});

it('behind a Unix socket the addresses that the client sent itself are not trusted', async () => {
  const { open, registry } = await unixLobby({ trustProxy: 'loopback' });
  await open('192.0.2.1, 203.0.113.1').hello();
  expect([...registry].map(({ ip }) => ip)).toEqual(['203.0.113.1']);
});

it('behind a Unix socket a trustProxy function gets the proxy as loopback', async () => {
  const seen: [string, number][] = [];
  const trustProxy = (ip: string, hop: number) => {
    seen.push([ip, hop]);
    return hop === 0;
  };
  const { open } = await unixLobby({ trustProxy });
  await open('203.0.113.1').hello();
  expect(seen[0]).toEqual(['127.0.0.1', 0]);
});

it('behind a Unix socket without trustProxy every client counts as loopback', async () => {
  const { open, registry } = await unixLobby({});
  await open('203.0.113.1').hello();
  expect([...registry].map(({ ip }) => ip)).toEqual(['127.0.0.1']);
});
