import {
  Broadcaster,
  MemoryBackplane,
  MemoryHub,
  RealtimeGateway,
  RealtimeModule,
  defineContract,
  type Connection,
} from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp } from 'nestjs-realtime/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BackplaneError } from '../../lib/backplane/backplane-error.js';
import type { Recipient } from '../../lib/backplane/publication.js';
import type { BroadcastCore } from '../../lib/broadcast/broadcast-core.js';
import { DeliveryCounts, type Receipt } from '../../lib/broadcast/receipt.js';
import { DeliveryNotSupportedError, type EncodedMessage, type Sender } from '../../lib/broadcast/sender.js';
import { Frame } from '../../lib/connections/frame.js';
import { RealtimeNode } from '../../lib/realtime.node.js';
import { TableRef } from '../e2e/restaurant.js';

const declared = defineContract({ server: { note: { payload: TableRef } } });
// No contract can declare this delivery before there is a history.
const notes = {
  ...declared,
  serverMessages: new Map(
    Array.from(declared.serverMessages, ([type, entry]) => [type, { ...entry, delivery: 'recoverable' }]),
  ),
} as typeof declared;

@RealtimeGateway({ path: '/notes', contract: notes })
class NotesGateway {
  handleConnection(connection: Connection): Promise<void> {
    return connection.join('floor');
  }
}

const note = { type: 'note', payload: { tableId: 't1' } } as const;

interface KeptRecord {
  readonly to: Recipient;
  readonly type: string;
  readonly text: string;
  readonly except: ReadonlySet<string>;
  readonly channel: string;
  readonly position: string;
}

/** A log that the nodes share, as they share Redis: it gives each record a position and echoes it to every node. */
class SharedLog {
  readonly records: KeptRecord[] = [];
  readonly nodes: ((record: KeptRecord) => void)[] = [];
  failure: Error | undefined;

  async append(record: Omit<KeptRecord, 'position'>): Promise<string> {
    if (this.failure !== undefined) throw this.failure;
    const position = `e:${this.records.length + 1}`;
    const kept = { ...record, position };
    this.records.push(kept);
    setImmediate(() => this.nodes.forEach((echo) => echo(kept)));
    return position;
  }
}

/** Sends recoverable messages as history will: appends, and delivers on this node too when the record is echoed. */
class RecordingSender implements Sender {
  readonly #waiting = new Map<string, (counts: DeliveryCounts) => void>();

  constructor(
    private readonly log: SharedLog,
    private readonly core: BroadcastCore,
  ) {
    log.nodes.push((record) => this.#echoed(record));
  }

  async send(recipients: readonly Recipient[], { type, frame, except }: EncodedMessage): Promise<Receipt> {
    const positions: Record<string, string> = {};
    const total = new DeliveryCounts();
    for (const to of recipients) {
      const channel = `${to.kind}:${to.key}`;
      const position = await this.log.append({ to, type, text: frame.text, except, channel });
      positions[channel] = position;
      total.add(await new Promise<DeliveryCounts>((resolve) => this.#waiting.set(position, resolve)));
    }
    return { ...total.receipt(), positions };
  }

  #echoed({ to, type, text, except, channel, position }: KeptRecord): void {
    const frame = new Frame(text, channel, position);
    const counts = new DeliveryCounts();
    this.core.delivery.deliver(to, { type, frame, except, delivery: 'recoverable' }, counts);
    this.#waiting.get(position)?.(counts);
  }
}

async function startNodes(): Promise<[RealtimeTestApp, RealtimeTestApp]> {
  const hub = new MemoryHub();
  const start = async () => {
    const backplane = new MemoryBackplane(hub);
    const app = await createRealtimeTestApp({
      imports: [RealtimeModule.forRoot({ backplane, authenticate: ({ token }) => ({ userId: token }) })],
      providers: [NotesGateway],
    });
    onTestFinished(() => app.close());
    return app;
  };
  return [await start(), await start()];
}

const broadcasterOf = (app: RealtimeTestApp) => app.get<Broadcaster<typeof notes>>(Broadcaster);

describe('a recoverable message', () => {
  it('is refused with its delivery named while no sender for it is registered', async () => {
    const [node] = await startNodes();
    const sent = broadcasterOf(node).sendToRoom('floor', note);
    await expect(sent).rejects.toBeInstanceOf(DeliveryNotSupportedError);
    await expect(sent).rejects.toThrow('got "note" with the delivery "recoverable"');
  });

  it('goes to the registered sender, which appends it and delivers it on every node when it is echoed', async () => {
    const nodes = await startNodes();
    const log = new SharedLog();
    for (const node of nodes) {
      const core = node.get(RealtimeNode).broadcast;
      core.useSender('recoverable', new RecordingSender(log, core));
    }
    const clients = [];
    for (const node of nodes) clients.push(await node.connect('/notes', { token: 'ann' }));
    const receipt = await broadcasterOf(nodes[0]).sendToRooms(['floor', 'bar'], note);
    expect(receipt).toMatchObject({ delivered: 1, positions: { 'room:floor': 'e:1', 'room:bar': 'e:2' } });
    expect(log.records.map(({ channel }) => channel)).toEqual(['room:floor', 'room:bar']);
    for (const client of clients) {
      expect(await client.next()).toEqual({ ...note, channel: 'room:floor', position: 'e:1' });
    }
  });

  it('rejects when its sender could not keep it, and reaches no client', async () => {
    const [node] = await startNodes();
    const log = new SharedLog();
    const core = node.get(RealtimeNode).broadcast;
    core.useSender('recoverable', new RecordingSender(log, core));
    log.failure = new BackplaneError('unavailable', 'Redis is away.');
    const client = await node.connect('/notes', { token: 'ann' });
    await expect(broadcasterOf(node).sendToUser('ann', note)).rejects.toBe(log.failure);
    expect(client.frames).toEqual([]);
  });

  it.each([true, false])('refuses the option volatile: %s', async (volatile) => {
    const [node] = await startNodes();
    const sent = broadcasterOf(node).broadcast(note, { volatile });
    await expect(sent).rejects.toThrow('Expected no option volatile for the recoverable message "note"');
  });
});
