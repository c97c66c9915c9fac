// A server of the protocol: sends `$hello` to every client. The work per handshake is the HMAC of a token.
import { createHmac, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const [port = '0'] = process.argv.slice(2);
const server = createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: false, clientTracking: false });
const heartbeat = { intervalMs: 25_000, timeoutMs: 10_000 };

sockets.on('connection', (socket) => {
  createHmac('sha256', 'secret').update(randomUUID()).digest();
  const payload = {
    connectionId: randomUUID(),
    sessionId: randomUUID(),
    userId: null,
    heartbeat,
    maxPayloadBytes: 65_536,
    expiresInMs: null,
    recovered: false,
  };
  socket.on('error', () => undefined);
  socket.on('message', (data) => {
    const { type, id, payload: ticket } = JSON.parse(String(data));
    if (type === '$resume')
      socket.send(JSON.stringify({ type: '$reply', id, payload: { sessionId: ticket.sessionId } }));
  });
  socket.send(JSON.stringify({ type: '$hello', payload }));
});
// It listens on command, so that the start time of the process is not part of the figures.
process.on('message', () => {
  server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4_096 }, () => {
    process.send({ port: server.address().port });
  });
});
process.send('ready');
