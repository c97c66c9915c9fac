import { describe, expect, it } from 'vitest';
import { ReplyCollector, type Reply } from '../../lib/broadcast/reply-collector.js';

const reply = (id: string, node: string, delivered = 1): Reply => ({
  kind: 'reply',
  id,
  node,
  delivered,
  dropped: 0,
});

describe('ReplyCollector', () => {
  it('keeps the replies of at most 10,000 nodes to one publication, and forgets them with it', async () => {
    const replies = new ReplyCollector('here');
    const collected = replies.collect(60_000, async ({ id }) => {
      for (let i = 0; i < 10_010; i++) replies.receive(reply(id, `node ${i}`));
      return { nodes: 10_000 };
    });
    expect((await collected).replies).toHaveLength(10_000);
    expect(replies.size).toBe(0);
  });

  it('takes one reply of each node, and waits for the others', async () => {
    const replies = new ReplyCollector('here');
    let id = '';
    const collected = replies.collect(60_000, async (replyTo) => {
      ({ id } = replyTo);
      return { nodes: 2 };
    });
    replies.receive(reply(id, 'a', 3));
    replies.receive(reply(id, 'a', 3));
    replies.receive(reply(id, 'b', 4));
    expect(await collected).toEqual({ nodes: 2, replies: [reply(id, 'a', 3), reply(id, 'b', 4)] });
  });

  it('ignores a reply to a publication that waits for none', () => {
    const replies = new ReplyCollector('here');
    replies.receive(reply('x', 'a'));
    expect(replies.size).toBe(0);
  });
});
