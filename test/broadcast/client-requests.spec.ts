import { expect, it } from 'vitest';
import { ClientRequests } from '../../lib/broadcast/client-requests.js';
import type { Connection } from '../../lib/connections/connection.js';
import type { PayloadValidator, Validation } from '../../lib/contract/payload-validator.js';

/** What a request needs of a connection, with the number of replies that are expected of it. */
class RequestedConnection {
  readonly isOpen = true;
  readonly sent: string[] = [];
  expected = 0;
  readonly receiveQueue = {
    expectReply: () => void this.expected++,
    replySettled: () => void this.expected--,
  };
  sendText = (text: string) => void this.sent.push(text);
}

/** A validator that refuses when the test calls `refuse`. */
function slowRefusal() {
  let refuse!: () => void;
  const refused = new Promise<Validation>((resolve) => {
    refuse = () => resolve({ issues: [{ path: '', message: 'no' }] });
  });
  return { reply: { validate: () => refused } as unknown as PayloadValidator, refuse: () => refuse() };
}

function request(timeoutMs: number) {
  const requests = new ClientRequests();
  const requested = new RequestedConnection();
  const connection = requested as unknown as Connection;
  const { reply, refuse } = slowRefusal();
  const sent = requests.request([connection], { type: 'ask', payload: null, reply }, timeoutMs);
  const ended = sent.catch(({ code }: { code: string }) => code);
  const { id } = JSON.parse(requested.sent[0] ?? '') as { id: string };
  return { requests, requested, connection, id, refuse, ended };
}

it('expects no further reply when one is refused after the request has timed out', async () => {
  const { requests, requested, connection, id, refuse, ended } = request(1);
  const replied = requests.replied(connection, id, {});
  expect(await ended).toBe('TIMEOUT');
  refuse();
  await replied;
  expect(requested.expected).toBe(0);
});

it('expects no further reply when the connection closes while its reply is validated', async () => {
  const { requests, requested, connection, id, refuse, ended } = request(5_000);
  const replied = requests.replied(connection, id, {});
  requests.closed(connection);
  refuse();
  await replied;
  expect(await ended).toBe('UNAVAILABLE');
  expect(requested.expected).toBe(0);
});

it('expects no further reply when two invalid ones come', async () => {
  const { requests, requested, connection, id, refuse, ended } = request(5_000);
  const replies = [requests.replied(connection, id, {}), requests.replied(connection, id, {})];
  refuse();
  await Promise.all(replies);
  expect(await ended).toBe('VALIDATION_FAILED');
  expect(requested.expected).toBe(0);
});
