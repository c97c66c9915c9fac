import { IsString } from 'class-validator';
import {
  OnMessage,
  RealtimeException,
  RealtimeGateway,
  RealtimeModule,
  defineContract,
} from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp, type TestClient } from 'nestjs-realtime/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CapturedLog } from '../rig/process/captured-log.js';
import { ProcessFaults } from '../rig/process/process-faults.js';

class Text {
  @IsString() text!: string;
}
const contract = defineContract({ client: { say: { payload: Text }, stop: { payload: null } } });

let onSay: (text: string) => void = () => {};
let onConnect: () => void = () => {};

@RealtimeGateway({ path: '/ws', contract })
class FailingGateway {
  handleConnection(): void {
    onConnect();
  }

  @OnMessage(contract, 'say')
  say({ text }: Text): void {
    onSay(text);
  }

  @OnMessage(contract, 'stop')
  stop(): void {
    throw new Error('stopped');
  }
}

let app: RealtimeTestApp;
let log: CapturedLog;
let faults: ProcessFaults;
let client: TestClient;
let connectionId: string;

beforeEach(async () => {
  onConnect = () => {};
  faults = new ProcessFaults();
  log = new CapturedLog();
  app = await createRealtimeTestApp(
    {
      imports: [RealtimeModule.forRoot({ authenticate: ({ token }) => ({ userId: token }) })],
      providers: [FailingGateway],
    },
    { logger: log },
  );
  client = app.open('/ws', { token: 'ann' });
  ({ connectionId } = await client.hello());
});
afterEach(async () => {
  await app.close();
  faults.stop();
  expect(faults.seen).toEqual([]);
});

const answered = (count: number) =>
  Promise.all(Array.from({ length: count }, () => client.request('say', { text: 'x' }).catch(() => {})));

it('logs an error of a handler in one line with type, path, connection and user, and its stack', async () => {
  onSay = () => {
    throw new TypeError('no\nsuch\ntable', { cause: new Error('the pool is closed') });
  };
  await answered(1);
  const [entry = ''] = log.of('error');
  const [line, ...stack] = entry.split('\n');
  expect(line).toMatch(
    new RegExp(
      `^handler failed type=say path=/ws connection=${connectionId} user=ann error="TypeError: no\\\\nsuch\\\\ntable"`,
    ),
  );
  expect(entry).toContain('handler-log.spec.ts');
  expect(stack.filter((each) => !/^\s+at /.test(each))).toEqual([
    expect.stringMatching(/^\[cause\] Error: the pool is closed/),
  ]);
});

it('logs ten errors of a handler at once, then one a second with the number of those left out', async () => {
  onSay = () => {
    throw new TypeError('broken');
  };
  await answered(500);
  expect(log.of('error').length).toBeGreaterThanOrEqual(10);
  expect(log.of('error').length).toBeLessThan(20);
  // Another handler has its own limit.
  await client.request('stop').catch(() => {});
  expect(log.of('error').at(-1)).toContain('type=stop');
});

it('logs client errors at debug level, at most once a second for each code', async () => {
  onSay = () => {
    throw new RealtimeException('TOO_LOUD', 'too loud', { cause: new Error('97 dB') });
  };
  await answered(500);
  await Promise.all(Array.from({ length: 500 }, () => client.request('say', null).catch(() => {})));
  expect(log.of('error')).toEqual([]);
  expect(log.of('warn')).toEqual([]);
  const refused = log.of('debug').filter((line) => line.startsWith('message refused'));
  expect(refused.length).toBeLessThan(10);
  expect(refused[0]).toContain(`type=say path=/ws connection=${connectionId} user=ann code=TOO_LOUD`);
  expect(refused[0]).toContain('cause="Error: 97 dB"');
});

it('survives a hook that throws an error which cannot be read', async () => {
  onConnect = () => {
    throw new Proxy(new Error(), {
      get: () => {
        throw new Error('hostile');
      },
      getPrototypeOf: () => {
        throw new Error('hostile');
      },
    });
  };
  expect(await app.open('/ws', { token: 'bob' }).closed).toMatchObject({ code: 1011 });
  expect(log.of('error')[0]).toMatch(/^handleConnection failed .*path=\/ws/);
});

it('survives a logger that throws', async () => {
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
  log.error = () => {
    throw new Error('disk full');
  };
  onSay = () => {
    throw new TypeError('broken');
  };
  await expect(client.request('say', { text: 'x' })).rejects.toMatchObject({ code: 'INTERNAL' });
  expect((await warned).message).toBe('The logger threw: Error: disk full');
});
