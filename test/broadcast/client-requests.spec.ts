import { expect, it } from 'vitest';
import { ClientRequests } from '../../lib/broadcast/client-requests.js';
import type { Connection } from '../../lib/connections/connection.js';
import type { PayloadValidator, Validation } from '../../lib/contract/payload-validator.js';

/** What a request needs of a connection, with the number of answers it is expected to give. */
class Answering {
  readonly isOpen = true;
  readonly sent: string[] = [];
  owed = 0;
  readonly receiveQueue = {
    expectReply: () => void this.owed++,
    replySettled: () => void this.owed--,
  };
  sendText = (text: string) => void this.sent.push(text);
}

/** A validator that takes its time: the test says when it refuses. */
function slowRefusal() {
  let refuse!: () => void;
  const refused = new Promise<Validation>((resolve) => {
    refuse = () => resolve({ issues: [{ path: '', message: 'no' }] });
  });
  return { reply: { validate: () => refused } as unknown as PayloadValidator, refuse: () => refuse() };
}

function ask(timeoutMs: number) {
  const requests = new ClientRequests();
  const answering = new Answering();
  const connection = answering as unknown as Connection;
  const { reply, refuse } = slowRefusal();
  const asked = requests.request([connection], { type: 'ask', payload: null, reply }, timeoutMs);
  const ended = asked.catch(({ code }: { code: string }) => code);
  const { id } = JSON.parse(answering.sent[0] ?? '') as { id: string };
  return { requests, answering, connection, id, refuse, ended };
}

it('owes one answer once when it is refused after the request has timed out', async () => {
  const { requests, answering, connection, id, refuse, ended } = ask(1);
  const answered = requests.replied(connection, id, {});
  expect(await ended).toBe('TIMEOUT');
  refuse();
  await answered;
  expect(answering.owed).toBe(0);
});

it('owes one answer once when the connection ends while its answer is validated', async () => {
  const { requests, answering, connection, id, refuse, ended } = ask(5_000);
  const answered = requests.replied(connection, id, {});
  requests.closed(connection);
  refuse();
  await answered;
  expect(await ended).toBe('UNAVAILABLE');
  expect(answering.owed).toBe(0);
});

it('owes one answer once when two bad ones come', async () => {
  const { requests, answering, connection, id, refuse, ended } = ask(5_000);
  const answers = [requests.replied(connection, id, {}), requests.replied(connection, id, {})];
  refuse();
  await Promise.all(answers);
  expect(await ended).toBe('VALIDATION_FAILED');
  expect(answering.owed).toBe(0);
});
