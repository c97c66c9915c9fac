import { randomBytes } from 'node:crypto';
import { UseInterceptors, type CallHandler, type NestInterceptor } from '@nestjs/common';
import { IsString } from 'class-validator';
import {
  OnMessage,
  RealtimeGateway,
  RealtimeModule,
  defineContract,
  type RealtimeOptions,
} from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp } from 'nestjs-realtime/testing';
import { Observable, map } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until as untilFact } from '../rig/clock/until.js';
import { ProcessFaults } from '../rig/process/process-faults.js';

class Text {
  @IsString() text!: string;
}
const contract = defineContract({
  client: {
    endless: { payload: null, reply: Text },
    heavy: { payload: null, reply: Text },
    waiting: { payload: null, reply: Text },
    observed: { payload: null, reply: Text },
    burst: { payload: null, reply: Text },
    echo: { payload: Text, reply: Text },
  },
});

/** What the sources of a test have done. */
const seen = { values: 0, running: 0, ended: 0 };
beforeEach(() => void Object.assign(seen, { values: 0, running: 0, ended: 0 }));
// Random, so that compressing it changes little.
const HEAVY = randomBytes(24_576).toString('base64');

function* forEver(text: string): Generator<Text> {
  for (;;) {
    seen.values++;
    yield { text };
  }
}

class Sources {
  @OnMessage(contract, 'endless')
  async *endless(): AsyncGenerator<Text> {
    seen.running++;
    try {
      yield* forEver('x');
    } finally {
      seen.ended++;
    }
  }

  @OnMessage(contract, 'heavy')
  async *heavy(): AsyncGenerator<Text> {
    try {
      yield* forEver(HEAVY);
    } finally {
      seen.ended++;
    }
  }

  /** One value, then nothing more until it is returned. */
  @OnMessage(contract, 'waiting')
  waiting(): AsyncIterable<Text> {
    seen.running++;
    let hasSpoken = false;
    const next = async (): Promise<IteratorResult<Text>> => {
      if (hasSpoken) await new Promise(() => {});
      hasSpoken = true;
      return { done: false, value: { text: 'first' } };
    };
    const end = async (): Promise<IteratorResult<Text>> => {
      seen.ended++;
      return { done: true, value: undefined };
    };
    return { [Symbol.asyncIterator]: () => ({ next, return: end }) };
  }

  @OnMessage(contract, 'observed')
  observed(): Observable<Text> {
    return new Observable((subscriber) => {
      seen.running++;
      subscriber.next({ text: 'first' });
      return () => void seen.ended++;
    });
  }

  /** Says everything at once, as long as it has a listener. */
  @OnMessage(contract, 'burst')
  burst(): Observable<Text> {
    return new Observable((subscriber) => {
      while (!subscriber.closed) {
        seen.values++;
        subscriber.next({ text: HEAVY });
      }
      seen.ended++;
    });
  }

  @OnMessage(contract, 'echo')
  echo(payload: Text): Text {
    return payload;
  }
}

class PassInterceptor implements NestInterceptor {
  intercept(_context: unknown, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((value: unknown) => value));
  }
}

@RealtimeGateway({ path: '/plain', contract })
class PlainGateway extends Sources {}

@RealtimeGateway({ path: '/intercepted', contract })
@UseInterceptors(PassInterceptor)
class InterceptedGateway extends Sources {}

const until = (condition: () => boolean) => untilFact(String(condition), condition);
/** Resolves when the sources have said nothing for a while. */
const quiet = async () => {
  let before = -1;
  let looks = 0;
  await until(() => {
    looks = seen.values === before ? looks + 1 : 0;
    before = seen.values;
    return looks >= 25;
  });
};

let app: RealtimeTestApp;
let faults: ProcessFaults;
const start = async (options: RealtimeOptions = {}) => {
  app = await createRealtimeTestApp({
    imports: [RealtimeModule.forRoot(options)],
    providers: [PlainGateway, InterceptedGateway],
  });
};
beforeEach(() => void (faults = new ProcessFaults()));
afterEach(async () => {
  await app.close();
  faults.stop();
  expect(faults.seen).toEqual([]);
});

describe.each(['/plain', '/intercepted'])('a source on %s', (path) => {
  it('that always has a value lets other clients be served, and ends with its own, without an id', async () => {
    await start();
    const [ann, bob] = [await app.connect(path), await app.connect(path)];
    ann.send({ type: 'endless' });
    await until(() => seen.running === 1);
    expect(await bob.request('echo', { text: 'hi' })).toEqual({ text: 'hi' });
    ann.socket.terminate();
    await until(() => seen.ended === 1);
  });

  it('that always has a value ends when its client goes mid-stream', async () => {
    await start();
    const [ann, bob] = [await app.connect(path), await app.connect(path)];
    ann.send({ type: 'endless', id: 1 });
    await ann.nextOfType('$next');
    ann.socket.terminate();
    await until(() => seen.ended === 1);
    expect(await bob.request('echo', { text: 'hi' })).toEqual({ text: 'hi' });
  });

  it.each([false, {}])('is read as fast as the client reads, with compression: %j', async (compression) => {
    await start({ compression });
    const ann = await app.connect(path);
    let isClosed = false;
    ann.socket.on('close', () => (isClosed = true));
    ann.send({ type: 'heavy', id: 1 });
    await ann.nextOfType('$next');
    ann.socket.pause();
    await quiet();
    expect(isClosed).toBe(false);
    ann.socket.resume();
    const { values } = seen;
    await until(() => seen.values > values + 50);
    ann.send({ type: '$cancel', id: 1 });
    await until(() => seen.ended === 1);
    expect(isClosed).toBe(false);
  });

  it('is returned on $cancel and when its client disconnects, though it waits', async () => {
    await start();
    const ann = await app.connect(path);
    ann.send({ type: 'waiting', id: 1 });
    await ann.nextOfType('$next');
    ann.send({ type: '$cancel', id: 1 });
    expect(await ann.next()).toEqual({ type: '$complete', id: 1 });
    await until(() => seen.ended === 1);
    ann.send({ type: 'waiting', id: 2 });
    await ann.nextOfType('$next');
    ann.socket.terminate();
    await until(() => seen.ended === 2);
  });

  it.each(['waiting', 'observed'])('with the id of one that runs is stopped: %s', async (type) => {
    await start();
    const ann = await app.connect(path);
    ann.send({ type, id: 1 });
    await ann.nextOfType('$next');
    ann.send({ type, id: 1 });
    expect(await ann.next()).toMatchObject({ type: '$error', id: 1, payload: { code: 'BAD_REQUEST' } });
    // An iterable is returned, so that it can clean up; an Observable that was refused never began.
    const begun = type === 'waiting' && path === '/plain' ? 1 : 0;
    await until(() => seen.ended === begun);
    ann.send({ type: '$cancel', id: 1 });
    expect(await ann.next()).toEqual({ type: '$complete', id: 1 });
    await until(() => seen.ended === begun + 1);
  });

  it.each([undefined, 2])('beyond the limit of running ones is RATE_LIMITED: %s', async (maxStreams) => {
    await start(maxStreams === undefined ? {} : { maxStreams });
    const ann = await app.connect(path);
    const limit = maxStreams ?? 32;
    for (let id = 1; id <= limit; id++) ann.send({ type: 'waiting', id });
    await until(() => seen.running === limit);
    ann.send({ type: 'waiting', id: 'more' });
    expect((await ann.nextOfType('$error')).payload).toEqual({
      code: 'RATE_LIMITED',
      message: `${limit} streamed replies are running: cancel one or wait for its end`,
    });
    ann.send({ type: '$cancel', id: 1 });
    await ann.nextOfType('$complete');
    ann.send({ type: 'waiting', id: 'next' });
    await until(() => ann.frames.some(({ id, type }) => id === 'next' && type === '$next'));
  });

  it('that emits everything at once is stopped when its client is too slow', async () => {
    await start();
    const ann = await app.connect(path);
    ann.socket.pause();
    ann.send({ type: 'burst', id: 1 });
    await until(() => seen.ended === 1);
  });
});

it('twenty streams that wait for one slow client add no listener each', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error) => void warnings.push(warning);
  process.on('warning', note);
  await start();
  const ann = await app.connect('/plain');
  ann.socket.pause();
  for (let id = 1; id <= 20; id++) ann.send({ type: 'heavy', id });
  await until(() => seen.values > 40);
  await quiet();
  process.off('warning', note);
  expect(warnings).toEqual([]);
});
