import { describe, expect, it } from 'vitest';
import type { Publication } from '../../lib/backplane/publication.js';
import { PublicationHandlers, type KnownHandlers } from '../../lib/broadcast/publication-handlers.js';

interface Counted {
  readonly kind: 'counted';
  readonly joins: number;
}

function createHandlers(known: Partial<KnownHandlers> = {}) {
  const failures: [unknown, string][] = [];
  const handlers = new PublicationHandlers(known as KnownHandlers, (error, { kind }) =>
    failures.push([error, kind]),
  );
  return { handlers, failures };
}

const reply: Publication = { kind: 'reply', id: '1', node: 'a', delivered: 0, dropped: 0 };
const publish = (handlers: PublicationHandlers, publication: object, channel = 'all') =>
  handlers.receive(channel, publication as Publication);

describe('PublicationHandlers', () => {
  it('gives an added kind its publications and their channel', () => {
    const { handlers } = createHandlers();
    const received: [number, string][] = [];
    handlers.add<Counted>('counted', ({ joins }, channel) => void received.push([joins, channel]));
    publish(handlers, { kind: 'counted', joins: 3 }, 'room:floor');
    expect(received).toEqual([[3, 'room:floor']]);
  });

  it('refuses a second handler of one kind', () => {
    const { handlers } = createHandlers({ reply: () => {} });
    expect(() => handlers.add('reply', () => {})).toThrow(
      'Expected one handler for publications of the kind "reply", got a second one.',
    );
  });

  it('ignores kinds without a handler, and names that only a prototype has', () => {
    const { handlers, failures } = createHandlers();
    for (const kind of ['counted', 'constructor', '__proto__']) publish(handlers, { kind });
    expect(failures).toEqual([]);
  });

  it('reports what a handler throws, and what it rejects with', async () => {
    const [thrown, rejected] = [new Error('thrown'), new Error('rejected')];
    const { handlers, failures } = createHandlers({
      reply: () => {
        throw thrown;
      },
    });
    handlers.add('later', () => Promise.reject(rejected));
    publish(handlers, reply);
    publish(handlers, { kind: 'later' });
    await Promise.resolve();
    expect(failures).toEqual([
      [thrown, 'reply'],
      [rejected, 'later'],
    ]);
  });
});
