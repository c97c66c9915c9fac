import type { Authenticate, Gauge, RealtimeOptions } from 'nestjs-realtime';
import { expect, it } from 'vitest';
import { Gate } from './gate.js';
import { openLobby } from './lobby.js';
import { upgrade } from './upgrade-request.js';

const TOKEN = { headers: { Authorization: 'Bearer t' } };

/** An app whose `authenticate` answers one question after another, when told to. */
async function slowLobby(handshakes: RealtimeOptions['handshakes']) {
  const questions: Gate[] = [];
  const arrivals: (() => void)[] = [];
  const authenticate: Authenticate = () => {
    const gate = new Gate();
    questions.push(gate);
    for (const arrive of arrivals.splice(0)) arrive();
    return gate.opened.then(() => ({ userId: 'ann' }));
  };
  const lobby = await openLobby({ authenticate, ...(handshakes === undefined ? {} : { handshakes }) });
  /** Resolves when that many have been asked about. */
  const asked = async (count: number) => {
    while (questions.length < count) await new Promise<void>((resolve) => arrivals.push(resolve));
  };
  /** Resolves when that many wait for their turn. */
  const waiting = async (count: number) => {
    const gauge = lobby.metrics.all.find(({ name }) => name === 'realtime_handshakes_waiting') as Gauge;
    while (gauge.samples()[0]?.value !== count) await new Promise(setImmediate);
  };
  return { ...lobby, questions, asked, waiting };
}

it('maxConcurrent handshakes are judged at a time, the others in turn', async () => {
  const { app, questions, asked, waiting } = await slowLobby({ maxConcurrent: 2 });
  const answers = Array.from({ length: 5 }, () => upgrade(app.port, TOKEN));
  await waiting(3);
  expect(questions).toHaveLength(2);
  questions[0]?.open();
  await asked(3);
  expect(questions).toHaveLength(3);
  for (let i = 1; i < 5; i++) {
    await asked(i + 1);
    questions[i]?.open();
  }
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([101, 101, 101, 101, 101]);
});

it('whoever finds maxWaiting before it is told with 503 when to come back', async () => {
  const { app, questions, waiting, metrics } = await slowLobby({ maxConcurrent: 1, maxWaiting: 1 });
  const first = [upgrade(app.port, TOKEN)];
  await waiting(0);
  first.push(upgrade(app.port, TOKEN));
  await waiting(1);
  const { status, headers, body } = await upgrade(app.port, TOKEN);
  expect([status, body]).toEqual([503, 'too many handshakes']);
  expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
  expect(Number(headers['retry-after'])).toBeLessThanOrEqual(11);
  expect(metrics.upgradesRefused.of('handshake_queue')).toBe(1);
  questions[0]?.open();
  await first[0];
  questions[1]?.open();
  expect((await first[1])?.status).toBe(101);
});

it('whoever waits longer than maxWaitMs is turned away, and the app is never asked', async () => {
  const { app, questions } = await slowLobby({ maxConcurrent: 1, maxWaitMs: 20 });
  const first = upgrade(app.port, TOKEN);
  const others = await Promise.all([upgrade(app.port, TOKEN), upgrade(app.port, TOKEN)]);
  expect(others.map(({ status }) => status)).toEqual([503, 503]);
  expect(questions).toHaveLength(1);
  questions[0]?.open();
  expect((await first).status).toBe(101);
});

it('maxPerSecond lets a burst of its size in and the next ones at its pace', async () => {
  const { app, asked, questions } = await slowLobby({ maxPerSecond: 20 });
  const startedAt = performance.now();
  const answers = Array.from({ length: 25 }, () => upgrade(app.port, TOKEN));
  await asked(20);
  const burst = performance.now() - startedAt;
  await asked(25);
  const all = performance.now() - startedAt;
  // Five more at 20 per second are 250 ms; the first of them may have begun to wait before the burst was over.
  expect(all).toBeGreaterThan(240);
  expect(all).toBeGreaterThan(burst);
  for (const question of questions) question.open();
  expect((await Promise.all(answers)).every(({ status }) => status === 101)).toBe(true);
});

it('false judges all at once', async () => {
  const { app, asked, questions } = await slowLobby(false);
  const answers = Array.from({ length: 250 }, () => upgrade(app.port, TOKEN));
  await asked(250);
  for (const question of questions) question.open();
  expect((await Promise.all(answers)).every(({ status }) => status === 101)).toBe(true);
});

it('a drain turns away who waits and who is being judged, and no hook sees them', async () => {
  const { app, questions, waiting, visits } = await slowLobby({ maxConcurrent: 1 });
  const judged = upgrade(app.port, TOKEN);
  const waits = [upgrade(app.port, TOKEN), upgrade(app.port, TOKEN)];
  await waiting(2);
  const closing = app.close();
  expect((await Promise.all(waits)).map(({ status }) => status)).toEqual([503, 503]);
  questions[0]?.open();
  const { status, body, headers } = await judged;
  expect([status, body, headers['retry-after']]).toEqual([503, 'the server restarts', '1']);
  await closing;
  expect(visits.connected).toEqual([]);
});
