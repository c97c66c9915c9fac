import type { Redis } from 'ioredis';
import type { Random } from '../../random.js';
import { ATTACKED_ROOM } from './contract.js';

const to = { kind: 'user', key: 'victim' };
const replyTo = { node: 'unknown', id: '1' };

/** Well-formed publications, none of them addressed to the well-behaved client. */
const BASES: readonly object[] = [
  { kind: 'message', to, type: 'tick', except: [], delivery: 'live' },
  {
    kind: 'message',
    to: { ...to, kind: 'room', key: ATTACKED_ROOM },
    type: 'tick',
    except: ['x'],
    delivery: 'volatile',
    replyTo,
  },
  { kind: 'disconnect', to, code: 4_500, reason: 'out', replyTo },
  { kind: 'join', to, room: 'cellar', replyTo },
  { kind: 'leave', to, room: ATTACKED_ROOM, replyTo },
  { kind: 'request', to, type: 'ask', payload: { text: 'x' }, timeoutMs: 100, replyTo },
  {
    kind: 'reply',
    id: '1',
    node: 'n',
    delivered: 1,
    dropped: 0,
    answer: { ok: false, code: 'BUSY', message: 'x' },
  },
];

const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
/** Values that are valid in no field. */
const JUNK: readonly unknown[] = [
  null,
  -1,
  1e308,
  0.5,
  [],
  [null],
  {},
  { length: 3e7 },
  { then: {} },
  'unknown',
  '\ud800',
  '\u0000\n',
  'x'.repeat(70_000),
  { __proto__: null, toString: 1 },
];
const FIELDS = [
  'kind',
  'to',
  'key',
  'sendId',
  'type',
  'code',
  'reason',
  'room',
  'except',
  'replyTo',
  '__proto__',
  'constructor',
  'answer',
  'timeoutMs',
];

/** Kinds of hostile publications: each gives the bytes of one. */
export const PUBLICATIONS: Readonly<
  Record<string, (random: Random, nodes: readonly string[]) => Buffer | string>
> = {
  'random bytes': (random) => random.bytes(random.below(400)),
  'bytes of a good one changed': (random) => {
    const bytes = Buffer.from(
      envelope(random, `${random.pick(['u', 'r', 'U', 'z'])} tick victim`, '{"type":"tick"}'),
    );
    for (let changes = 1 + random.below(4); changes > 0; changes--)
      bytes[random.below(bytes.length)] = random.below(256);
    return bytes;
  },
  'a field replaced': (random) => envelope(random, JSON.stringify(replaced(random, random.pick(BASES)))),
  'a field of a field replaced': (random) => {
    const base = random.pick(BASES) as Record<string, unknown>;
    const name = random.pick(Object.keys(base).filter((key) => typeof base[key] === 'object'));
    if (name === undefined) return envelope(random, '{}');
    return envelope(random, JSON.stringify({ ...base, [name]: replaced(random, base[name] as object) }));
  },
  'an unknown kind': (random) => {
    const kind = random.pick(['tomorrow', '', 'toString', '__proto__', 'constructor', 'x'.repeat(5_000)]);
    return envelope(random, JSON.stringify({ ...random.pick(BASES), kind }));
  },
  'an unknown recipient': (random) => {
    const kind = random.pick(['device', '', 'hasOwnProperty']);
    return envelope(random, JSON.stringify({ ...random.pick(BASES), to: { ...to, kind } }));
  },
  'a good one to those who are there': (random) =>
    envelope(random, JSON.stringify(random.pick(BASES)), '{"type":"tick"}'),
  'a question with a hostile payload': (random) => {
    const payload = random.pick([
      // Each of these takes the node 16 ms, so they are rare enough not to become a flood.
      deep(random.below(40) === 0 ? 5_000 : 500),
      '{"__proto__":{"x":1}}',
      '"\\ud800"',
      `"${'x'.repeat(100_000)}"`,
    ]);
    const [head = ''] = JSON.stringify({ ...BASES[5], payload: 0 }).split('"payload":0');
    return envelope(random, `${head}"payload":${payload},"timeoutMs":50,"replyTo":{"node":"n","id":"1"}}`);
  },
  'no JSON': (random) =>
    envelope(random, random.pick(['{', '{"kind":', '[]', 'null', deep(50_000), '{}}', '{"a":1e999}'])),
  'text that is no UTF-8': (random) =>
    Buffer.concat([Buffer.from(envelope(random, 'u tick victim')), random.bytes(50), Buffer.from([0xc3])]),
  'claimed node ids': (random, nodes) => {
    const sequence = random.pick([
      '1',
      '0',
      '-1',
      '9007199254740991',
      '9007199254740992',
      '1e308',
      'NaN',
      '',
      '0x10',
    ]);
    return `${random.pick([...nodes, '', ' ', 'x'.repeat(65)])} ${sequence}\nu tick victim\n{"type":"tick"}`;
  },
  'a probe of another': (random) => `\u0001${random.pick(['', '1 NaN', '1 -1', 'x', '1 1e308'])}`,
  huge: (random) =>
    random.below(400) > 0
      ? envelope(random, 'u tick victim', 'x'.repeat(1_000))
      : envelope(random, `{"kind":"${'x'.repeat(1_000_000 * (1 + random.below(9)))}"}`),
};

let sequence = 0;
function envelope(random: Random, line: string, text = ''): string {
  return `hostile${random.below(50)} ${++sequence}\n${line}\n${text}`;
}

function replaced(random: Random, base: object): object {
  const names = Object.keys(base);
  const name = random.below(3) === 0 ? random.pick(FIELDS) : random.pick(names.length > 0 ? names : FIELDS);
  const copy: Record<string, unknown> = { ...base };
  if (random.below(4) === 0) delete copy[name];
  else copy[name] = random.pick(JUNK);
  return copy;
}

/** The channels of real users, rooms and nodes, and the ids of the nodes. */
export async function channelsOf(redis: Redis): Promise<{ channels: string[]; nodes: string[] }> {
  const channels = (await redis.call('PUBSUB', 'CHANNELS', '*')) as string[];
  const nodes = channels.flatMap((channel) => /:c:node:(.+)$/.exec(channel)?.[1] ?? []);
  return { channels, nodes };
}
