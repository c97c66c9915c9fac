import { IsBoolean, IsString } from 'class-validator';
import {
  Broadcaster,
  ClientRequestError,
  OnMessage,
  RealtimeGateway,
  RealtimeModule,
  defineContract,
  type Connection,
  type ServerRequest,
} from 'nestjs-realtime';
import { createRealtimeTestApp, type RealtimeTestApp, type TestClient } from 'nestjs-realtime/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

class Question {
  @IsString() text!: string;
}
class Answer {
  @IsBoolean() yes!: boolean;

  get word(): string {
    return this.yes ? 'yes' : 'no';
  }
}
const quiz = defineContract({
  client: { confirm: { payload: Question, reply: Question } },
  server: { ask: { payload: Question, reply: Answer } },
});

@RealtimeGateway({ path: '/ws', contract: quiz })
class QuizGateway {
  constructor(private readonly broadcaster: Broadcaster<typeof quiz>) {}

  @OnMessage(quiz, 'confirm')
  async confirm(payload: Question, connection: Connection): Promise<Question> {
    const { yes } = await this.broadcaster.requestFromConnection(connection.id, { type: 'ask', payload });
    return { text: `${payload.text} ${yes}` };
  }
}

let app: RealtimeTestApp;
let broadcaster: Broadcaster<typeof quiz>;
let ann: TestClient;
let bob: TestClient;
let annsId: string;

const request = { type: 'ask', payload: { text: 'more tea?' } } as const;
const requestAnn = (timeoutMs = 5_000) => broadcaster.requestFromConnection(annsId, request, { timeoutMs });
/** The next request to a client, and its id. */
const question = async (client: TestClient) => {
  const { id = '', payload } = await client.nextOfType('$request');
  return { id, request: payload as ServerRequest };
};
const reply = (client: TestClient, id: string | number, payload: unknown) =>
  client.send({ type: '$reply', id, payload });
/** The outcome of a request, observed from the start so that no rejection is unhandled. */
const outcome = (pending: Promise<unknown>) =>
  pending.then(
    (answer) => ({ answer }),
    ({ code }: ClientRequestError) => ({ code }),
  );

beforeEach(async () => {
  app = await createRealtimeTestApp({
    imports: [RealtimeModule.forRoot({ authenticate: ({ token }) => ({ userId: token }) })],
    providers: [QuizGateway],
  });
  broadcaster = app.get<Broadcaster<typeof quiz>>(Broadcaster);
  ann = app.open('/ws', { token: 'ann' });
  annsId = (await ann.hello()).connectionId;
  bob = await app.connect('/ws', { token: 'bob' });
});
afterEach(() => app.close());

describe('a request to a connection', () => {
  it('resolves with the reply as an instance of its class', async () => {
    const pending = requestAnn();
    const { id, request: received } = await question(ann);
    expect(received).toEqual(request);
    reply(ann, id, { yes: true, more: 'than pending' });
    const answer = await pending;
    expect(answer.word).toBe('yes');
    expect(answer).not.toHaveProperty('more');
  });

  it('rejects with VALIDATION_FAILED when the reply does not fit', async () => {
    const ended = outcome(requestAnn());
    reply(ann, (await question(ann)).id, { yes: 'maybe' });
    expect(await ended).toEqual({ code: 'VALIDATION_FAILED' });
  });

  it("rejects with the client's code and details when it replies with $error", async () => {
    const pending = requestAnn();
    const ended = pending.catch((error: unknown) => error);
    const refusal = { code: 'BUSY', message: 'not now', details: { freeAt: '21:00' } };
    ann.send({ type: '$error', id: (await question(ann)).id, payload: refusal });
    expect(await ended).toBeInstanceOf(ClientRequestError);
    expect(await ended).toMatchObject(refusal);
  });

  it.each([null, 7, {}, { code: 'no code', message: 4 }])(
    'rejects with BAD_REQUEST on an $error of %j',
    async (payload) => {
      const ended = outcome(requestAnn());
      ann.send({ type: '$error', id: (await question(ann)).id, payload });
      expect(await ended).toEqual({ code: 'BAD_REQUEST' });
    },
  );

  it('rejects with TIMEOUT when no reply comes, and ignores a late one', async () => {
    const ended = outcome(requestAnn(20));
    const { id } = await question(ann);
    expect(await ended).toEqual({ code: 'TIMEOUT' });
    reply(ann, id, { yes: true });
    const second = requestAnn();
    reply(ann, (await question(ann)).id, { yes: false });
    expect(await second).toEqual({ yes: false });
    expect(ann.frames).toEqual([]);
  });

  it('rejects with UNAVAILABLE when the client disconnects, and when there is no connection', async () => {
    const ended = outcome(requestAnn());
    await question(ann);
    ann.socket.terminate();
    expect(await ended).toEqual({ code: 'UNAVAILABLE' });
    expect(await outcome(broadcaster.requestFromConnection('no.such', request))).toEqual({
      code: 'UNAVAILABLE',
    });
  });

  it('ignores a reply from another connection', async () => {
    const pending = requestAnn();
    const { id } = await question(ann);
    reply(bob, id, { yes: false });
    await expect(bob.request('nothing')).rejects.toMatchObject({ code: 'UNKNOWN_TYPE' });
    reply(ann, id, { yes: true });
    expect(await pending).toEqual({ yes: true });
  });

  it('takes only one reply', async () => {
    const pending = requestAnn();
    const { id } = await question(ann);
    reply(ann, id, { yes: true });
    reply(ann, id, { yes: false });
    expect(await pending).toEqual({ yes: true });
  });

  it('counts two invalid replies of one client as one', async () => {
    const tablet = await app.connect('/ws', { token: 'ann' });
    const pending = broadcaster.requestFromUser('ann', request);
    const { id } = await question(ann);
    reply(ann, id, { yes: 'broken' });
    reply(ann, id, { yes: 'broken' });
    await expect(ann.request('nothing')).rejects.toMatchObject({ code: 'UNKNOWN_TYPE' });
    // If the second one counted too, the request would have ended before the tablet's reply.
    reply(tablet, (await question(tablet)).id, { yes: true });
    expect(await pending).toEqual({ yes: true });
  });

  it.each([Number.NaN, Infinity, 0, -1, 2 ** 31, '5' as unknown as number])(
    'refuses a timeoutMs of %s',
    async (timeoutMs) => {
      await expect(requestAnn(timeoutMs)).rejects.toThrow(
        /Expected the option timeoutMs to be a number of milliseconds/,
      );
      expect(ann.frames).toEqual([]);
    },
  );

  it('rejects with UNAVAILABLE when the app closes', async () => {
    const ended = outcome(requestAnn());
    await question(ann);
    await app.close();
    expect(await ended).toEqual({ code: 'UNAVAILABLE' });
  });
});

describe('a handler that awaits a reply of its own client', () => {
  it('gets it while its message is still being handled and others wait', async () => {
    ann.send({ type: 'confirm', id: 1, payload: { text: 'tea' } });
    ann.send({ type: 'confirm', id: 2, payload: { text: 'cake' } });
    for (const text of ['tea', 'cake']) {
      const { id, request: received } = await question(ann);
      expect(received.payload).toEqual({ text });
      reply(ann, id, { yes: true });
    }
    expect([await ann.reply(1), await ann.reply(2)]).toEqual([{ text: 'tea true' }, { text: 'cake true' }]);
  });

  it('gets the error when the client refuses', async () => {
    const refused = ann.request('confirm', { text: 'tea' }).catch((error: unknown) => error);
    ann.send({ type: '$error', id: (await question(ann)).id, payload: { code: 'BUSY', message: 'no' } });
    expect(await refused).toMatchObject({ code: 'UNAVAILABLE' });
  });
});

describe('a request to a user', () => {
  const requestUser = () => broadcaster.requestFromUser('ann', request);

  it('sends to each connection and takes the first valid reply', async () => {
    const tablet = await app.connect('/ws', { token: 'ann' });
    const pending = requestUser();
    const [{ id }, { id: sameId }] = [await question(ann), await question(tablet)];
    expect(sameId).toBe(id);
    reply(ann, id, { yes: 'broken' });
    // Once this has its reply, the invalid reply before it has been read.
    await expect(ann.request('nothing')).rejects.toMatchObject({ code: 'UNKNOWN_TYPE' });
    reply(tablet, id, { yes: true });
    expect(await pending).toEqual({ yes: true });
  });

  it('rejects with the last failure when no connection sends a valid reply', async () => {
    const tablet = await app.connect('/ws', { token: 'ann' });
    const ended = outcome(requestUser());
    const { id } = await question(ann);
    ann.socket.terminate();
    await question(tablet);
    await ann.closed;
    tablet.send({ type: '$error', id, payload: { code: 'BUSY', message: 'no' } });
    expect(await ended).toEqual({ code: expect.stringMatching(/^(BUSY|UNAVAILABLE)$/) });
  });

  it('rejects with UNAVAILABLE when the user is not connected', async () => {
    expect(await outcome(broadcaster.requestFromUser('carol', request))).toEqual({ code: 'UNAVAILABLE' });
  });
});

it.each([Infinity, NaN, 0, -1, 2_147_483_648, '5' as never])(
  'a timeoutMs of %j, which setTimeout would treat as 1 ms, is refused',
  async (timeoutMs) => {
    const pending = app
      .get<Broadcaster<typeof quiz>>(Broadcaster)
      .requestFromUser('ann', { type: 'ask', payload: { text: 'now?' } }, { timeoutMs });
    await expect(pending).rejects.toThrow(
      'Expected the option timeoutMs to be a number of milliseconds from 1 to 2147483647',
    );
  },
);
