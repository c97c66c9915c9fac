// A node with Redis whose `authenticate` calls a service over HTTP; it counts each message it handles.
import 'reflect-metadata';
import { request } from 'node:http';
import { ServiceUnavailableException } from '@nestjs/common';
import {
  Broadcaster,
  OnMessage,
  RealtimeGateway,
  RealtimeHealth,
  RealtimeMetrics,
  RealtimeModule,
  type Connection,
  type Identity,
} from 'nestjs-realtime';
import { NestFactory } from '@nestjs/core';
import { Module } from '@nestjs/common';
import { onRequest, send } from '../../rig/process/forked-process.js';
import { numberArgument } from '../checks.js';
import { EVERYONE, Key, ledger, type NodeState } from './protocol.js';

const HANDLER_MS = 100;
const authPort = numberArgument('auth-port', 0);
const redisPort = numberArgument('redis-port', 0);
const port = numberArgument('port', 0);

/** The service's response for a token; throws as a real HTTP client would when the service is down. */
async function whoIs(token: string | undefined): Promise<Identity | null> {
  if (token === undefined) return null;
  const { status, text } = await ask(`/${encodeURIComponent(token)}`);
  if (status === 503) throw new ServiceUnavailableException('the users are away');
  return status === 200 ? (JSON.parse(text) as Identity) : null;
}

function ask(path: string): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const requested = request({ port: authPort, host: '127.0.0.1', path, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response
        .on('data', (part: string) => (text += part))
        .on('end', () => resolve({ status: response.statusCode, text }));
    });
    requested.on('error', reject).end();
  });
}

@RealtimeGateway({ path: '/ws', contract: ledger })
class LedgerGateway {
  async handleConnection(connection: Connection): Promise<void> {
    await Promise.all([connection.join(EVERYONE), connection.join(`own:${connection.userId}`)]);
  }

  @OnMessage(ledger, 'count')
  async count({ key }: Key): Promise<Key> {
    send('counted', key);
    await new Promise((resolve) => setTimeout(resolve, HANDLER_MS));
    return { key };
  }
}

@Module({
  imports: [
    RealtimeModule.forRoot({
      redis: `redis://127.0.0.1:${redisPort}`,
      authenticate: ({ token }) => whoIs(token),
      logConnections: false,
    }),
  ],
  providers: [LedgerGateway],
})
class NodeModule {}

const uncaught: string[] = [];
const noteUncaught = (error: unknown) =>
  void uncaught.push(error instanceof Error ? String(error.stack) : String(error));
process.on('uncaughtException', noteUncaught).on('unhandledRejection', noteUncaught);

const app = await NestFactory.create(NodeModule, { logger: false, abortOnError: false });
app.enableShutdownHooks();
await app.listen(port, '127.0.0.1');

const [health, metrics] = [app.get(RealtimeHealth), app.get(RealtimeMetrics)];
onRequest('state', (): NodeState => {
  const { status, pendingSubscriptions, connections } = health.report();
  return {
    status,
    pendingSubscriptions,
    connections,
    // 1013 if the next token could not be checked, which is not the client's fault.
    expired: metrics.connectionsClosed.of('4401') + metrics.connectionsClosed.of('1013'),
    uncaught,
  };
});
onRequest('mark', (key: string) =>
  app.get<Broadcaster<typeof ledger>>(Broadcaster).sendToRoom(EVERYONE, { type: 'mark', payload: { key } }),
);
send('listening', port);
