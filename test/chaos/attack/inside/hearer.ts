import { once } from 'node:events';
import { WebSocket } from 'ws';
import { FRIEND } from '../protocol.js';

/** A client that means well and isSubscribed what the other node sends. */
export class Hearer {
  ticks = 0;

  private constructor(private readonly socket: WebSocket) {
    socket.on('message', (data) => {
      if (String(data).startsWith('{"type":"tick","payload":{"text"')) this.ticks++;
    });
  }

  static async connect(port: number): Promise<Hearer> {
    const headers = { authorization: `Bearer ${FRIEND}` };
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers });
    const hearer = new Hearer(socket);
    await once(socket, 'message');
    return hearer;
  }

  get isConnected(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  leave(): void {
    this.socket.close();
  }
}

/** What a handler's result becomes for the client that asked: the type and code of the first frame about it. */
export async function outcomeOf(port: number, name: string, withinMs: number): Promise<string> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers: { authorization: 'Bearer asker' } });
  await once(socket, 'message');
  const outcome = new Promise<string>((resolve) => {
    const timer = setTimeout(() => resolve('nothing'), withinMs);
    const settle = (said: string) => {
      clearTimeout(timer);
      resolve(said);
    };
    socket.on('message', (data) => {
      const { type, id, payload } = JSON.parse(String(data)) as {
        type: string;
        id?: string;
        payload?: { code?: string } | null;
      };
      // Of a stream the end tells more than a part of it; one without end has no other.
      if (id === '1') settle(type === '$error' ? `$error ${payload?.code}` : type);
    });
    socket.once('close', (code: number) => settle(`closed ${code}`));
  });
  socket.send(JSON.stringify({ type: 'misbehave', id: '1', payload: { name } }));
  const said = await outcome;
  socket.terminate();
  return said;
}
