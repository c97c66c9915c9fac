import { once } from 'node:events';
import { WebSocket } from 'ws';
import { HEALTHY_TOKEN } from '../protocol.js';

/** A well-behaved client that counts the messages of the other node. */
export class TickClient {
  ticks = 0;

  private constructor(private readonly socket: WebSocket) {
    socket.on('message', (data) => {
      if (String(data).startsWith('{"type":"tick","payload":{"text"')) this.ticks++;
    });
  }

  static async connect(port: number): Promise<TickClient> {
    const headers = { authorization: `Bearer ${HEALTHY_TOKEN}` };
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers });
    const tickClient = new TickClient(socket);
    await once(socket, 'message');
    return tickClient;
  }

  get isConnected(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  leave(): void {
    this.socket.close();
  }
}

/** The type and code of the first frame that a client gets for a handler's result. */
export async function outcomeOf(port: number, name: string, withinMs: number): Promise<string> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers: { authorization: 'Bearer asker' } });
  await once(socket, 'message');
  const outcome = new Promise<string>((resolve) => {
    const timer = setTimeout(() => resolve('nothing'), withinMs);
    const settle = (result: string) => {
      clearTimeout(timer);
      resolve(result);
    };
    socket.on('message', (data) => {
      const { type, id, payload } = JSON.parse(String(data)) as {
        type: string;
        id?: string;
        payload?: { code?: string } | null;
      };
      // For a stream this is its first part.
      if (id === '1') settle(type === '$error' ? `$error ${payload?.code}` : type);
    });
    socket.once('close', (code: number) => settle(`closed ${code}`));
  });
  socket.send(JSON.stringify({ type: 'misbehave', id: '1', payload: { name } }));
  const result = await outcome;
  socket.terminate();
  return result;
}
