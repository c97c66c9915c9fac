import { connect, type Socket } from 'node:net';
import { clientFrame, Opcode, upgradeText } from '../../rig/sockets/client-bytes.js';
import type { Random } from '../random.js';
import { INTRUDER } from './protocol.js';

/** What all attacks of one run share: the target, the end, and the counts of what was sent. */
export class Attacker {
  readonly inputs = new Map<string, number>();
  #hosts = 0;
  #isOver = false;
  readonly #sockets = new Set<Socket>();

  constructor(
    readonly port: number,
    readonly random: Random,
  ) {}

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Ends all attacks and destroys their sockets. */
  end(): void {
    this.#isOver = true;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  count(kind: string, inputs = 1): void {
    this.inputs.set(kind, (this.inputs.get(kind) ?? 0) + inputs);
  }

  /** A TCP connection from one of 200 addresses, since one address has too few ports for a minute of attacks. */
  async dial(): Promise<Socket> {
    const localAddress = `127.0.1.${1 + (this.#hosts++ % 200)}`;
    const socket = connect({ port: this.port, host: '127.0.0.1', localAddress });
    this.#sockets.add(socket);
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
    await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
    if (this.#isOver) socket.resetAndDestroy();
    return socket;
  }

  /** A hand-written WebSocket; without a token it is not authenticated. */
  async open(token: string | null = INTRUDER): Promise<Socket> {
    const socket = await this.dial();
    const headers: Record<string, string> = token === null ? {} : { Authorization: `Bearer ${token}` };
    socket.write(upgradeText('/ws', headers));
    await heard(socket);
    return socket;
  }
}

/** Resolves when the socket has received data or is closed. */
export function heard(socket: Socket): Promise<void> {
  if (socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      socket.off('data', done).off('close', done);
      resolve();
    };
    socket.on('data', done).on('close', done);
  });
}

/** Resolves with true when the bytes are written, with false when the socket is closed. */
export function sent(socket: Socket, bytes: Buffer | string): Promise<boolean> {
  if (socket.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => void socket.write(bytes, (error) => resolve(!error)));
}

/** Resolves when the server has ended the socket. */
export function ended(socket: Socket): Promise<void> {
  if (socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    socket
      .once('close', () => resolve())
      .once('end', () => {
        socket.destroy();
        resolve();
      });
  });
}

export const pause = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));

export const message = (text: string, id?: number) =>
  clientFrame(JSON.stringify({ type: 'echo', id, payload: { text } }));

export const ping = clientFrame('p'.repeat(125), { opcode: Opcode.PING });
