import { NEVER, Observable } from 'rxjs';
import { RealtimeException } from 'nestjs-realtime';

const bad = (): never => {
  throw new Error('a getter of an app');
};
const cycle = () => {
  const ring: Record<string, unknown> = {};
  ring['ring'] = ring;
  return ring;
};
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
const spiteful = () =>
  new Proxy(
    {},
    Object.fromEntries(
      ['get', 'has', 'ownKeys', 'getPrototypeOf', 'getOwnPropertyDescriptor'].map((trap) => [trap, bad]),
    ),
  );
const deep = () => {
  let nested: unknown[] = [];
  for (let i = 0; i < 20_000; i++) nested = [nested];
  return nested;
};
const thrown = (value: unknown) => () => {
  throw value;
};
const rejected = (value: unknown) => () => Promise.reject(value);
async function* endless() {
  for (let i = 0; ; i++) yield { i };
}
function* endlessNow() {
  for (let i = 0; ; i++) yield { i };
}
async function* ending(value: unknown) {
  yield { i: 0 };
  throw value;
}
const source = (next: () => unknown, end?: () => unknown) => ({
  [Symbol.asyncIterator]: () => ({ next, return: end }),
});
const errorWith = (name: string) => Object.defineProperty(new Error('x'), name, { get: bad });

/** Faulty handlers, by the name of their fault. */
export const HOSTILE_HANDLERS: Readonly<Record<string, () => unknown>> = {
  'returns a BigInt': () => ({ n: 1n }),
  'returns a cycle': cycle,
  'returns a throwing getter': () => Object.defineProperty({}, 'any', { enumerable: true, get: bad }),
  'returns a throwing toJSON': () => ({ toJSON: bad }),
  'returns a symbol': () => Symbol('any'),
  'returns a function': () => bad,
  'returns a spiteful Proxy': spiteful,
  'returns a revoked Proxy': revoked,
  'returns 20,000 nested lists': deep,
  'returns 2 MB': () => ({ text: 'x'.repeat(2_000_000) }),
  'returns an endless generator': endlessNow,
  'returns a thenable that throws': () => ({ then: bad }),
  'returns a thenable that answers twice': () => ({
    then: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => {
      resolve({ any: true });
      resolve({ any: false });
      reject(null);
    },
  }),
  'throws null': thrown(null),
  'throws undefined': thrown(undefined),
  'throws a spiteful Proxy': thrown(spiteful()),
  'throws a revoked Proxy': () => thrown(revoked())(),
  'throws an Error with a throwing message': () => thrown(errorWith('message'))(),
  'throws an Error with a throwing stack': () => thrown(errorWith('stack'))(),
  'throws an exception whose details are a cycle': () =>
    thrown(new RealtimeException('CONFLICT', 'x', { details: cycle() as never }))(),
  'throws an exception whose details are a BigInt': () =>
    thrown(new RealtimeException('CONFLICT', 'x', { details: 1n as never }))(),
  'rejects with null': rejected(null),
  'rejects with a spiteful Proxy': rejected(spiteful()),
  'streams without end': endless,
  'streams without end, at once': () =>
    new Observable((to) => {
      for (let i = 0; i < 1_000 && !to.closed; i++) to.next({ i });
    }),
  'streams and throws null': () => ending(null),
  'streams and throws a spiteful Proxy': () => ending(spiteful()),
  'streams cycles': async function* () {
    yield cycle();
  },
  'streams what is no result': () => source(() => null),
  'streams and its next throws': () => source(bad),
  'streams and its return throws': () =>
    source(() => Promise.resolve({ done: false, value: { any: true } }), bad),
  'streams and its return never ends': () =>
    source(
      () => Promise.resolve({ done: false, value: { any: true } }),
      () => new Promise(() => {}),
    ),
  'streams and never goes on': () => source(() => new Promise(() => {})),
  'an Observable that says nothing': () => NEVER,
  'an Observable that fails with null': () => new Observable((to) => to.error(null)),
  'never settles': () => new Promise(() => {}),
};

/** Handlers that never produce a reply. */
export const ENDLESS: ReadonlySet<string> = new Set([
  'streams and never goes on',
  'an Observable that says nothing',
  'streams without end, at once',
  'never settles',
]);
