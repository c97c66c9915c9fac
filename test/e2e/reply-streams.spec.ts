import { IsInt, IsString } from 'class-validator';
import { Observable, Subject, firstValueFrom, interval, of, throwError } from 'rxjs';
import { map } from 'rxjs/operators';
import {
  OnMessage,
  RealtimeException,
  RealtimeGateway,
  RealtimeModule,
  defineContract,
} from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp, type TestClient } from 'nestjs-realtime/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProcessFaults } from '../rig/process/process-faults.js';

class Tick {
  @IsInt() n!: number;
}
class Source {
  @IsString() kind!: string;
}

const clock = defineContract({
  client: {
    'clock:generate': { payload: Source, reply: Tick },
    'clock:observe': { payload: Source, reply: Tick },
    'clock:late': { payload: null, reply: Tick },
    'clock:once': { payload: null, reply: Tick },
  },
});

const manual = {
  ticks: new Subject<Tick>(),
  stopped: new Subject<string>(),
  gate: new Subject<boolean>(),
  disconnected: new Subject<void>(),
};

@RealtimeGateway({ path: '/ws', contract: clock })
class ClockGateway {
  @OnMessage(clock, 'clock:generate')
  async *generate({ kind }: Source): AsyncGenerator<Tick> {
    try {
      yield { n: 1 };
      if (kind === 'fails') throw new RealtimeException('BROKEN', 'the clock broke');
      if (kind === 'is no JSON') yield { n: 1n as unknown as number };
      if (kind === 'is endless') for (let n = 2; ; n++) yield await nextTurn({ n });
      yield { n: 2 };
    } finally {
      manual.stopped.next(`${kind}: generator`);
      if (kind === 'is endless') breakDown();
    }
  }

  @OnMessage(clock, 'clock:observe')
  observe({ kind }: Source): Observable<Tick> {
    switch (kind) {
      case 'fails':
        return throwError(() => new Error('s3cret'));
      case 'is no JSON':
        return of({ n: 1n as unknown as number });
      case 'is endless':
        return interval(1).pipe(map((n) => ({ n })));
      case 'breaks on stop':
        return new Observable<Tick>((to) => {
          to.next({ n: 1 });
          return () => {
            throw new Error('tear-down failed: s3cret');
          };
        });
      case 'is manual':
        return new Observable<Tick>((to) => {
          const inner = manual.ticks.subscribe(to);
          return () => {
            inner.unsubscribe();
            manual.stopped.next('manual: unsubscribed');
          };
        });
      default:
        return of({ n: 1 }, { n: 2 });
    }
  }

  @OnMessage(clock, 'clock:late', { allow: () => firstValueFrom(manual.gate) })
  late(): Observable<Tick> {
    return manual.ticks;
  }

  handleDisconnect(): void {
    manual.disconnected.next();
  }

  @OnMessage(clock, 'clock:once')
  once(): Tick {
    return { n: 0 };
  }
}

function breakDown(): never {
  throw new Error('clean-up failed: s3cret');
}

function nextTurn<T>(value: T): Promise<T> {
  return new Promise((resolve) => setImmediate(() => resolve(value)));
}

const stop = () => firstValueFrom(manual.stopped);

let app: RealtimeTestApp;
let client: TestClient;
let faults: ProcessFaults;

beforeEach(async () => {
  faults = new ProcessFaults();
  app = await createRealtimeTestApp({ imports: [RealtimeModule.forRoot()], providers: [ClockGateway] });
  client = await app.connect('/ws');
});
afterEach(async () => {
  await app.close();
  faults.stop();
  expect(faults.seen).toEqual([]);
});

const ask = (type: string, kind: string, id: string | number = 1) =>
  client.send({ type, id, payload: { kind } });

describe.each(['clock:generate', 'clock:observe'])('%s', (type) => {
  it('sends each $next in order and one $complete', async () => {
    ask(type, 'is short');
    expect(await client.next()).toEqual({ type: '$next', id: 1, payload: { n: 1 } });
    expect(await client.next()).toEqual({ type: '$next', id: 1, payload: { n: 2 } });
    expect(await client.next()).toEqual({ type: '$complete', id: 1 });
  });

  it('sends $error instead of $complete when the source fails', async () => {
    ask(type, 'fails');
    const { payload } = await client.nextOfType('$error');
    expect(payload).toEqual(
      type === 'clock:generate'
        ? { code: 'BROKEN', message: 'the clock broke' }
        : { code: 'INTERNAL', message: 'internal error' },
    );
    await client.request('clock:once');
    expect(client.frames.map((frame) => frame.type)).not.toContain('$complete');
  });

  it('sends $error when JSON cannot carry a part, and stops the source', async () => {
    const stopped = type === 'clock:generate' ? stop() : undefined;
    ask(type, 'is no JSON');
    expect(await client.nextOfType('$error')).toMatchObject({ id: 1, payload: { code: 'INTERNAL' } });
    expect(await stopped).toBe(type === 'clock:generate' ? 'is no JSON: generator' : undefined);
    expect(await client.request('clock:once')).toEqual({ n: 0 });
  });

  it('does not block later messages, and $cancel ends it with one $complete', async () => {
    ask(type, 'is endless');
    await client.nextOfType('$next');
    expect(await client.request('clock:once')).toEqual({ n: 0 });
    client.send({ type: '$cancel', id: 1 });
    await client.nextOfType('$complete');
    client.frames.length = 0;
    await client.request('clock:once');
    await client.request('clock:once');
    expect(client.frames).toEqual([]);
  });

  it('refuses a second stream with the id of a running one', async () => {
    ask(type, 'is endless');
    await client.nextOfType('$next');
    ask(type, 'is endless');
    expect(await client.nextOfType('$error')).toMatchObject({ id: 1, payload: { code: 'BAD_REQUEST' } });
    client.send({ type: '$cancel', id: 1 });
    await client.nextOfType('$complete');
  });
});

describe('a source', () => {
  it('is unsubscribed on $cancel', async () => {
    ask('clock:observe', 'is manual');
    await client.request('clock:once');
    const stopped = stop();
    client.send({ type: '$cancel', id: 1 });
    expect(await stopped).toBe('manual: unsubscribed');
    expect(manual.ticks.observed).toBe(false);
  });

  it('is unsubscribed when the client disconnects', async () => {
    ask('clock:observe', 'is manual');
    await client.request('clock:once');
    expect(manual.ticks.observed).toBe(true);
    const stopped = stop();
    client.socket.terminate();
    expect(await stopped).toBe('manual: unsubscribed');
  });

  it('is returned when the client disconnects, if it is a generator', async () => {
    ask('clock:generate', 'is endless');
    await client.nextOfType('$next');
    const stopped = stop();
    client.socket.terminate();
    expect(await stopped).toBe('is endless: generator');
  });

  it('may throw while it is stopped without affecting the connection or the process', async () => {
    ask('clock:observe', 'breaks on stop');
    await client.nextOfType('$next');
    client.send({ type: '$cancel', id: 1 });
    expect(await client.nextOfType('$complete')).toEqual({ type: '$complete', id: 1 });
    expect(await client.request('clock:once')).toEqual({ n: 0 });
  });

  it('may throw while its client disconnects without affecting other streams of that client', async () => {
    ask('clock:observe', 'breaks on stop', 'a');
    ask('clock:observe', 'is manual', 'b');
    await client.request('clock:once');
    const stopped = stop();
    client.socket.terminate();
    expect(await stopped).toBe('manual: unsubscribed');
  });

  it('is not started for a client that has disconnected', async () => {
    client.send({ type: 'clock:late', id: 1 });
    while (!manual.gate.observed) await nextTurn(undefined);
    const disconnected = firstValueFrom(manual.disconnected);
    client.socket.terminate();
    await disconnected;
    manual.gate.next(true);
    await nextTurn(undefined);
    expect(manual.ticks.observed).toBe(false);
  });

  it('does nothing on a $cancel that names no stream', async () => {
    client.send({ type: '$cancel', id: 'nothing' });
    client.send({ type: '$cancel' });
    expect(await client.request('clock:once')).toEqual({ n: 0 });
    expect(client.frames).toEqual([]);
  });
});
