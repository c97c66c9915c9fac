import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import type { Admission, Admitted } from '../../lib/gateway/admission/admission.js';
import { MemoryConnectionCounts } from '../../lib/gateway/admission/connection-counts.js';
import {
  ConnectionLimits,
  CONNECTION_LIMITS_DEFAULTS,
} from '../../lib/gateway/admission/connection-limits.js';
import type { OpenSockets } from '../../lib/gateway/lifecycle/open-sockets.js';
import type { Routes } from '../../lib/gateway/routing/routes.js';
import { ACCEPTOR_DEFAULTS, WebSocketAcceptor } from '../../lib/gateway/websocket-acceptor.js';
import { until } from '../rig/clock/until.js';
import { CapturedLog } from '../rig/process/captured-log.js';
import { upgradeText } from '../rig/sockets/client-bytes.js';
import { tcpConnection } from '../rig/sockets/upgrade-request.js';

const routes = { match: () => ({ route: { authenticated: false }, params: {} }) } as unknown as Routes;

it.each([
  ['the client has hung up since admission', (socket: Socket) => socket.destroy(), 0],
  ['the connection cannot be created', () => {}, 1],
])('the permit is released when %s', async (_when, beforeOpen, errors) => {
  const log = new CapturedLog();
  const limits = new ConnectionLimits(CONNECTION_LIMITS_DEFAULTS, new MemoryConnectionCounts(), 'n');
  let admissions = 0;
  const admission = {
    admit: async (request: IncomingMessage) => {
      const acquired = await limits.acquire('203.0.113.1');
      admissions = limits.total;
      beforeOpen(request.socket);
      return acquired;
    },
    confirm: (_request: IncomingMessage, admitted: Admitted) => admitted,
  } as unknown as Admission;
  const sockets = {
    begin: () => {
      throw new Error('no connection');
    },
  } as unknown as OpenSockets;
  const acceptor = new WebSocketAcceptor(routes, admission, sockets, ACCEPTOR_DEFAULTS, log);
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => server.close().closeAllConnections());
  server.on('upgrade', (request, socket, head) => acceptor.accept(request, socket, head));
  await once(server, 'listening');
  const client = tcpConnection((server.address() as AddressInfo).port);
  client.on('error', () => {});
  client.write(upgradeText());
  await until('the socket has closed', () => client.destroyed);
  expect([admissions, limits.total, log.of('error').length]).toEqual([1, 0, errors]);
});
