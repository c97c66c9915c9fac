import { describe, expect, it } from 'vitest';
import { ReplyCollector } from '../../lib/broadcast/reply-collector.js';

describe('ReplyCollector', () => {
  it('keeps at most 10,000 replies to one publication, and forgets them with it', async () => {
    const replies = new ReplyCollector('here');
    const gathered = replies.gather(60_000, async ({ id }) => {
      for (let i = 0; i < 10_010; i++) replies.receive({ kind: 'reply', id, delivered: 1, dropped: 0 });
      return 10_000;
    });
    expect((await gathered).replies).toHaveLength(10_000);
    expect(replies.size).toBe(0);
  });

  it('ignores a reply to a publication that nothing waits for', () => {
    const replies = new ReplyCollector('here');
    replies.receive({ kind: 'reply', id: 'x', delivered: 1, dropped: 0 });
    expect(replies.size).toBe(0);
  });
});
