// lib/protocol/close-codes.ts
var CloseCode = {
  /** Closed on purpose by the application, with nothing wrong. */
  NORMAL: 1e3,
  /** The process or page goes away. */
  GOING_AWAY: 1001,
  /** The frame breaks a policy of the server and would break it again. */
  POLICY_VIOLATION: 1008,
  /** The frame is larger than `maxPayloadBytes`. */
  MESSAGE_TOO_BIG: 1009,
  /** `handleConnection` threw, or the server failed otherwise. */
  INTERNAL_ERROR: 1011,
  /** The server restarts; come back after the advised time. */
  SERVICE_RESTART: 1012,
  /** The server is overloaded; come back later. */
  TRY_AGAIN_LATER: 1013,
  /** The application asks this client to reconnect. */
  RECONNECT: 4e3,
  /** The token is missing, refused or has expired: get a fresh one, then come back. */
  UNAUTHENTICATED: 4401,
  /** The client did not authenticate within `authTimeoutMs`. */
  AUTH_TIMEOUT: 4408,
  /** The client read too slowly: more than `maxQueueBytes` waited for it. */
  SLOW_CONSUMER: 4413,
  /** The client kept sending more than its rate allows. */
  RATE_LIMITED: 4429,
  /** `disconnectUser`, `disconnectSession` or `disconnectConnection` ended this connection. */
  DISCONNECTED: 4500,
  /** `handleConnection` refused this client. */
  FORBIDDEN: 4503,
  /** Too many frames in a row were no messages this server knows. */
  TOO_MANY_ERRORS: 4520
};
var FINAL_STANDARD_CODES = /* @__PURE__ */ new Set([1e3, 1002, 1003, 1007, 1008, 1009, 1010]);
function shouldReconnect(code) {
  if (code >= 4500 && code <= 4999) return false;
  return !FINAL_STANDARD_CODES.has(code);
}
var KNOWN_CODES = /* @__PURE__ */ new Set([
  ...Object.values(CloseCode),
  ...[1002, 1003, 1005, 1006, 1007, 1010]
]);

// lib/client/request-error.ts
var RequestError = class extends Error {
  constructor(code, message, issues = void 0) {
    super(message);
    this.code = code;
    this.issues = issues;
  }
  code;
  issues;
  name = "RequestError";
};
var UnauthenticatedError = class extends Error {
  name = "UnauthenticatedError";
};
var ClosedError = class extends Error {
  name = "ClosedError";
  code;
  reason;
  constructor({ code, reason }) {
    super(`The client is closed: ${code} ${reason}`.trim());
    this.code = code;
    this.reason = reason;
  }
};
function requestErrorOf({ code, message, issues }) {
  return new RequestError(code, message, issues);
}

// lib/client/calls.ts
var Call = class {
  constructor(id, text, retry, caller, pending, outbox) {
    this.id = id;
    this.text = text;
    this.retry = retry;
    this.caller = caller;
    this.#pending = pending;
    this.#outbox = outbox;
  }
  id;
  text;
  retry;
  caller;
  link;
  #pending;
  #outbox;
  post() {
    this.#pending.set(this.id, this);
    this.#outbox.post(this);
  }
  /** Its answer, if one comes, is not waited for any more. */
  forget() {
    this.#pending.delete(this.id);
    this.#outbox.withdraw(this);
  }
  /** Forgets it, and tells the server to stop answering. */
  cancel() {
    if (!this.#pending.has(this.id)) return;
    this.forget();
    if (this.link?.isOpen) this.link.send(JSON.stringify({ type: "$cancel", id: this.id }));
  }
  sent() {
  }
  unsent(reason) {
    this.forget();
    this.caller.onFailure(new RequestError(reason.toUpperCase(), `no answer: ${reason}`));
  }
  answer({ type, payload }) {
    if (type === "$next") return this.caller.onValue(payload, false);
    this.forget();
    if (type === "$error" && payload.code === "UNAVAILABLE" && !this.#outbox.isOpenOn(this.link)) {
      this.link = void 0;
      return this.post();
    }
    if (type === "$reply") this.caller.onValue(payload, true);
    else if (type === "$complete") this.caller.onComplete();
    else this.caller.onFailure(requestErrorOf(payload));
  }
};
var Calls = class {
  #pending = /* @__PURE__ */ new Map();
  #count = 0;
  #prefix;
  #outbox;
  /** The prefix keeps ids apart from those of every other client of the session. */
  constructor(prefix, outbox) {
    this.#prefix = prefix;
    this.#outbox = outbox;
  }
  make(type, payload, retry, caller) {
    const id = this.#prefix + ++this.#count;
    const key = retry === "never" ? void 0 : id;
    return new Call(
      id,
      JSON.stringify({ type, payload, id, key }),
      retry,
      caller,
      this.#pending,
      this.#outbox
    );
  }
  /** Gives a frame to the call it answers. False when it answers none. */
  answer(frame) {
    const call = this.#pending.get(frame.id);
    call?.answer(frame);
    return call !== void 0;
  }
  isAwaited(link) {
    return this.#on(link).length > 0;
  }
  /** Sends again what was sent on this link, or fails it. */
  lost(link) {
    const unanswered = this.#on(link);
    for (const call of unanswered) if (call.retry === "never") call.unsent("disconnected");
    this.#outbox.putBack(unanswered.filter(({ retry }) => retry !== "never"));
  }
  /** Fails every call. */
  clear() {
    for (const call of [...this.#pending.values()]) call.unsent("closed");
  }
  #on(link) {
    return [...this.#pending.values()].filter((call) => call.link === link);
  }
};

// lib/protocol/envelope.ts
var SUBPROTOCOL = "realtime.v1";

// lib/client/environment.ts
var scope = globalThis;
var systemClock = {
  now: () => Date.now(),
  setTimeout: (callback, delayMs) => scope.setTimeout(callback, delayMs),
  clearTimeout: (timer) => scope.clearTimeout(timer)
};
function resolveUrl(url) {
  if (/^wss?:/.test(url)) return url;
  const base = scope.location?.href.replace(/^blob:/, "");
  return new scope.URL(url, base).href.replace(/^http/, "ws");
}
function onAbort(signal, act) {
  if (signal === void 0) return () => void 0;
  const listener = () => act(signal.reason);
  signal.addEventListener("abort", listener);
  return () => signal.removeEventListener("abort", listener);
}

// lib/client/client.options.ts
var DEFAULTS = {
  token: void 0,
  autoConnect: true,
  connectTimeoutMs: 1e4,
  minRetryMs: 500,
  maxRetryMs: 2e4,
  firstRetrySpreadMs: 5e3,
  stableAfterMs: 3e4,
  wakeTimeoutMs: 2e3,
  requestTimeoutMs: 1e4,
  whileAway: { queue: { max: 100, ttlMs: 3e4 } },
  maxBuffered: 1e3,
  protocols: [SUBPROTOCOL],
  clock: systemClock,
  random: Math.random
};
function resolveClientOptions(options) {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== void 0));
  const resolved = { ...DEFAULTS, WebSocket: scope.WebSocket, ...given };
  if (resolved.WebSocket === void 0) {
    throw new TypeError("No global WebSocket here: pass the option WebSocket, such as that of 'ws'.");
  }
  return resolved;
}

// lib/client/listeners.ts
var Listeners = class {
  constructor(clock) {
    this.clock = clock;
  }
  clock;
  #named = /* @__PURE__ */ new Map();
  /** Adds one, even one that is there already; the returned function takes it away. */
  add(name, tell) {
    const listener = (value) => tell(value);
    const listeners = this.#named.get(name) ?? /* @__PURE__ */ new Set();
    this.#named.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }
  emit(name, value) {
    for (const tell of [...this.#named.get(name) ?? []]) {
      try {
        tell(value);
      } catch (error) {
        this.clock.setTimeout(() => {
          throw error;
        }, 0);
      }
    }
  }
};

// lib/client/messages.ts
var Messages = class {
  #queued = 0;
  #outbox;
  #clock;
  #onUnsent;
  constructor(outbox, clock, onUnsent) {
    this.#outbox = outbox;
    this.#clock = clock;
    this.#onUnsent = onUnsent;
  }
  /** What happens to it is settled by the caller: sent now, given up at once, or queued within limits. */
  send(type, payload, fate) {
    return new Promise((resolve) => {
      let timer;
      const settle = (outcome) => {
        if (timer !== void 0) {
          this.#clock.clearTimeout(timer);
          this.#queued--;
        }
        if (outcome !== "sent") this.#onUnsent({ type, payload, reason: outcome });
        resolve(outcome);
      };
      const parcel = {
        text: JSON.stringify({ type, payload }),
        retry: "never",
        link: void 0,
        sent: () => settle("sent"),
        // What was never answered was never lost either: a message is written once.
        unsent: (reason) => settle(reason)
      };
      if (fate === "drop") return settle("dropped");
      if (fate !== "now") {
        if (this.#queued >= fate.max) return settle("overflow");
        this.#queued++;
        timer = this.#clock.setTimeout(() => {
          this.#outbox.withdraw(parcel);
          settle("expired");
        }, fate.ttlMs);
      }
      this.#outbox.post(parcel);
    });
  }
};

// lib/client/outbox.ts
var Outbox = class {
  #link;
  #isClosed = false;
  #waiting = /* @__PURE__ */ new Set();
  /** Writes it, or lets it wait behind the others. */
  post(parcel) {
    if (this.#isClosed) parcel.unsent("closed");
    else if (this.#link?.isOpen) this.#write(this.#link, parcel);
    else this.#waiting.add(parcel);
  }
  /** Puts back what was written and lost, in front of what has not been written yet. */
  putBack(parcels) {
    this.#waiting = /* @__PURE__ */ new Set([...parcels, ...this.#waiting]);
    this.#flush();
  }
  withdraw(parcel) {
    this.#waiting.delete(parcel);
  }
  /** From now on, frames are written to this link. */
  open(link) {
    this.#link = link;
    this.#flush();
  }
  isOpenOn(link) {
    return this.#link === link;
  }
  /** No more frames are written to this link. */
  shut(link) {
    if (this.#link === link) this.#link = void 0;
  }
  /** Gives up all that waits, and whatever comes later. */
  close() {
    this.#isClosed = true;
    for (const parcel of [...this.#waiting]) parcel.unsent("closed");
  }
  #flush() {
    for (const parcel of this.#waiting) {
      if (!this.#link?.isOpen) return;
      this.#waiting.delete(parcel);
      this.#write(this.#link, parcel);
    }
  }
  #write(link, parcel) {
    if (parcel.link !== void 0 && parcel.retry === "resumed" && !link.isResumed) {
      parcel.unsent("disconnected");
    } else if (exceeds(parcel.text, link.hello.maxPayloadBytes)) {
      parcel.unsent("too_large");
    } else {
      parcel.link = link;
      link.send(parcel.text);
      parcel.sent();
    }
  }
};
function exceeds(text, maxBytes) {
  return text.length * 3 > maxBytes && new scope.TextEncoder().encode(text).length > maxBytes;
}

// lib/client/request.ts
function request(calls, clock, type, payload, terms) {
  return new Promise((resolve, reject) => {
    const { signal, timeoutMs, retry } = terms;
    let timer;
    const end = () => {
      clock.clearTimeout(timer);
      stopAbort();
      call.forget();
    };
    const fail = (error) => {
      end();
      reject(error);
    };
    const succeed = (value) => {
      end();
      resolve(value);
    };
    const call = calls.make(type, payload, retry, {
      onValue: (value, isLast) => {
        if (!isLast) call.cancel();
        succeed(value);
      },
      onComplete: () => succeed(null),
      onFailure: fail
    });
    const stopAbort = onAbort(signal, fail);
    if (signal?.aborted) return fail(signal.reason);
    if (timeoutMs !== false) {
      const late = () => fail(new RequestError("TIMEOUT", `No answer to "${type}" within ${timeoutMs} ms.`));
      timer = clock.setTimeout(late, timeoutMs);
    }
    call.post();
  });
}

// lib/client/backoff.ts
var LONGEST_MS = 2147483647;
var Backoff = class {
  /** Attempts since the last stable connection, the coming or running one included. */
  attempt = 0;
  #options;
  constructor(options) {
    this.#options = options;
  }
  /** The wait after the nth attempt failed: `min(max, min + rand(0, min(max, min · 2^n)))`, full jitter, as in centrifuge-js. */
  afterFailure() {
    const { minRetryMs, maxRetryMs, random } = this.#options;
    return Math.min(maxRetryMs, minRetryMs + random() * this.#ceiling(this.attempt - 1));
  }
  /**
   * The wait after a connection that was usable for `lifeMs`: anywhere within `firstRetrySpreadMs`. A server that
   * accepts and drops again makes the spread as wide as the backoff has become.
   */
  afterLoss(lifeMs) {
    const { firstRetrySpreadMs, stableAfterMs, random } = this.#options;
    if (lifeMs >= stableAfterMs) this.attempt = 0;
    return random() * Math.max(firstRetrySpreadMs, this.attempt && this.#ceiling(this.attempt));
  }
  /**
   * The wait that the server asks for by `retry=<ms>` in a close reason, and up to as much again (at most the spread),
   * as many get the same advice at once.
   */
  afterAdvice(reason) {
    const advice = /\bretry=(\d+)/.exec(reason)?.[1];
    if (advice === void 0) return void 0;
    const { firstRetrySpreadMs, random } = this.#options;
    return Math.min(LONGEST_MS, +advice + random() * Math.min(+advice, firstRetrySpreadMs));
  }
  /** The short wait before what one client alone has a reason for: a fresh token, a network that is back. */
  soon() {
    return this.#options.random() * this.#options.minRetryMs;
  }
  #ceiling(n) {
    const { minRetryMs, maxRetryMs } = this.#options;
    return Math.min(maxRetryMs, minRetryMs * 2 ** n);
  }
};

// lib/client/handover.ts
var GRACE_MS = 1e3;
var LIMIT_MS = 1e4;
var Handover = class {
  constructor(old, clock, isAwaited, onLeft) {
    this.old = old;
    this.#clock = clock;
    this.#isAwaited = isAwaited;
    this.#onLeft = onLeft;
    this.#timer = clock.setTimeout(() => this.#drain(), GRACE_MS);
  }
  old;
  #isDrained = false;
  #timer;
  #clock;
  #isAwaited;
  #onLeft;
  /** Called after every frame of the old link. */
  check() {
    if (this.#isDrained && !this.#isAwaited(this.old)) this.leave();
  }
  leave() {
    this.stop();
    this.old.leave(1e3, "moved");
    this.#onLeft(this.old);
  }
  stop() {
    this.#clock.clearTimeout(this.#timer);
  }
  #drain() {
    this.#timer = this.#clock.setTimeout(() => this.leave(), LIMIT_MS);
    this.old.drain(() => {
      this.#isDrained = true;
      this.check();
    });
  }
};

// lib/client/liveness.ts
var Liveness = class {
  #heardAt;
  #dueAt = 0;
  #probe = "none";
  #timer;
  #heartbeat;
  #options;
  #sendProbe;
  #onDead;
  constructor(heartbeat, options, sendProbe, onDead) {
    this.#heartbeat = heartbeat;
    this.#options = options;
    this.#sendProbe = sendProbe;
    this.#onDead = onDead;
    this.#heardAt = options.clock.now();
    if (heartbeat !== null) this.#arm(heartbeat.intervalMs);
  }
  /** A frame has come. The timer stays as it is: it looks at the time when it fires. */
  heard() {
    this.#heardAt = this.#options.clock.now();
    this.#probe = "none";
  }
  /** The machine woke up or its network changed: what the silence so far means is not known, so ask. */
  wake() {
    if (this.#probe === "wake") return;
    this.#ask("wake", this.#options.wakeTimeoutMs);
  }
  stop() {
    this.#options.clock.clearTimeout(this.#timer);
  }
  #ask(probe, waitMs) {
    this.#probe = probe;
    this.#arm(waitMs);
    this.#sendProbe();
  }
  #arm(delayMs) {
    const { clock } = this.#options;
    clock.clearTimeout(this.#timer);
    this.#dueAt = clock.now() + delayMs;
    this.#timer = clock.setTimeout(() => this.#check(), delayMs);
  }
  #check() {
    const now = this.#options.clock.now();
    const slept = now - this.#dueAt > this.#options.wakeTimeoutMs;
    if (this.#probe !== "none") {
      if (slept && this.#probe === "silence") this.wake();
      else this.#onDead();
    } else if (this.#heartbeat !== null) {
      const leftMs = this.#heardAt + this.#heartbeat.intervalMs - now;
      if (leftMs > 0) this.#arm(leftMs);
      else if (slept) this.wake();
      else this.#ask("silence", this.#heartbeat.timeoutMs);
    }
  }
};

// lib/client/link.ts
var OPEN = 1;
var RESUME_ID = "resume";
var DRAIN_ID = "drain";
var Link = class {
  hello;
  #isUsable = false;
  /** What the server said to `$resume`; nothing in it when it refused. */
  #resumption;
  #liveness;
  #onDrained;
  #socket;
  #introduction;
  #options;
  #events;
  /** Throws what `new WebSocket` throws: an address that can never work. */
  constructor(url, introduction, options, events) {
    this.#introduction = introduction;
    this.#options = options;
    this.#events = events;
    const socket = new options.WebSocket(url, [...options.protocols]);
    this.#socket = socket;
    socket.onopen = () => this.#introduce();
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code, reason }) => this.#end(code, reason);
    socket.onerror = () => void 0;
  }
  /** Whether what is sent now goes out: a socket that has begun to close discards it without a word. */
  get isOpen() {
    return this.#socket.readyState === OPEN;
  }
  /** Whether the server took us for the client we were before. */
  get isResumed() {
    return this.hello !== void 0 && this.hello.sessionId === this.#introduction.ticket?.sessionId;
  }
  send(text) {
    this.#socket.send(text);
  }
  /** Asks for a sign of life, to be given within `wakeTimeoutMs`. */
  wake() {
    this.#liveness?.wake();
  }
  /** Calls back when everything that the server had written so far has arrived. */
  drain(onDrained) {
    this.#onDrained = onDrained;
    if (this.isOpen) this.send(`{"type":"ping","id":"${DRAIN_ID}"}`);
  }
  /** Uses the link as it is, without waiting longer for the answer to `$resume`. False without a `$hello`. */
  settle() {
    if (this.hello === void 0) return false;
    if (!this.#isUsable) {
      this.#isUsable = true;
      this.hello = { ...this.hello, ...this.#resumption };
      this.#events.onUsable(this);
    }
    return true;
  }
  /** Ends it from this side and stops listening at once. */
  leave(code, reason) {
    const socket = this.#socket;
    socket.onopen = socket.onmessage = socket.onclose = null;
    this.#liveness?.stop();
    socket.close(code, reason);
  }
  #introduce() {
    const { token, ticket } = this.#introduction;
    if (token !== void 0) this.send(JSON.stringify({ type: "$auth", payload: { token } }));
    if (ticket !== void 0) this.send(JSON.stringify({ type: "$resume", id: RESUME_ID, payload: ticket }));
  }
  #receive(text) {
    this.#liveness?.heard();
    const frame = frameOf(text);
    if (frame === void 0) return;
    if (frame.type === "$hello") this.#greeted(frame.payload);
    else if (frame.id === RESUME_ID) this.#resumeAnswered(frame);
    else if (frame.id === DRAIN_ID) this.#onDrained?.();
    else this.#events.onFrame(this, frame, text);
  }
  #greeted(hello) {
    this.hello = hello;
    this.#liveness ??= new Liveness(
      hello.heartbeat,
      this.#options,
      () => this.isOpen && this.send('{"type":"ping"}'),
      () => this.#abandon()
    );
    if (this.#introduction.ticket === void 0 || this.isResumed || this.#resumption) this.settle();
  }
  #resumeAnswered({ type, payload }) {
    this.#resumption = type === "$reply" ? payload : {};
    this.settle();
  }
  #abandon() {
    this.leave(4e3, "silent for too long");
    this.#events.onEnd(this, 1006, "silent for too long");
  }
  #end(code, reason) {
    this.#liveness?.stop();
    this.#events.onEnd(this, code, reason);
  }
};
function frameOf(text) {
  try {
    const frame = JSON.parse(text);
    return typeof frame?.type === "string" ? frame : void 0;
  } catch {
    return void 0;
  }
}

// lib/client/overlap.ts
var AFTERMATH_MS = 5e3;
var Overlap = class {
  constructor(old) {
    this.old = old;
  }
  old;
  /** How many more copies of a text came on the old link than on the new one. */
  #surplus = /* @__PURE__ */ new Map();
  #endsAt = Infinity;
  isRepeated(link, text) {
    const step = link === this.old ? 1 : -1;
    const surplus = this.#surplus.get(text) ?? 0;
    this.#surplus.set(text, surplus + step);
    return surplus * step < 0;
  }
  /** The old link has ended. */
  end(now) {
    this.#endsAt = Math.min(this.#endsAt, now + AFTERMATH_MS);
  }
  isOver(now) {
    return now > this.#endsAt;
  }
};

// lib/client/wake-signals.ts
function watchWakeSignals(onWake, onOffline) {
  const { document } = scope;
  const whenVisible = () => {
    if (document?.visibilityState !== "hidden") onWake();
  };
  const watched = [
    [scope, "online", onWake],
    [scope, "offline", onOffline],
    [scope, "pageshow", onWake],
    [document, "resume", onWake],
    [document, "visibilitychange", whenVisible]
  ];
  const each = (method) => {
    for (const [target, type, listener] of watched) target?.[method]?.(type, listener);
  };
  each("addEventListener");
  return () => each("removeEventListener");
}

// lib/client/session.ts
var UNAUTHENTICATED = 4401;
var NO_CLOSE_FRAME = 1006;
var Session = class {
  state = { status: "idle" };
  /** The link that messages go through. */
  link;
  #next;
  #handover;
  #overlap;
  #ticket;
  #usableAt = 0;
  #refusals = 0;
  /** Ends the wait before an attempt, or the attempt; there is never both. */
  #timer;
  #retryAt;
  #notBefore = 0;
  #end = { code: 0, reason: "" };
  #stopSignals;
  #backoff;
  #address;
  #options;
  #events;
  constructor(address, options, events) {
    this.#address = address;
    this.#options = options;
    this.#events = events;
    this.#backoff = new Backoff(options);
  }
  /** Begins, once. */
  start() {
    if (this.state.status !== "idle") return;
    this.#stopSignals = watchWakeSignals(
      () => this.wake(),
      () => this.link?.wake()
    );
    this.#backoff.attempt = 1;
    this.#attempt();
  }
  /** Looks whether the link still lives, and does not wait out a retry that is due later. */
  wake() {
    this.link?.wake();
    if (this.#retryAt === void 0) return;
    const at = Math.max(this.#options.clock.now() + this.#backoff.soon(), this.#notBefore);
    if (at < this.#retryAt) this.#schedule(at - this.#options.clock.now());
  }
  /** Ends it for good. */
  close(code, reason) {
    if (this.state.status === "closed") return;
    this.#disarm();
    this.#stopSignals?.();
    this.#handover?.stop();
    for (const link of [this.#handover?.old, this.#next, this.link]) link?.leave(1e3, "closed");
    this.link = this.#next = this.#handover = void 0;
    this.#setState({ status: "closed", code, reason });
  }
  /** The server is about to go: the next link is opened when it advises, while this one still works. */
  goAway(link, reconnectAfterMs) {
    if (link !== this.link || this.#timer !== void 0) return;
    this.#backoff.attempt = 1;
    this.#notBefore = this.#options.clock.now() + reconnectAfterMs;
    this.#schedule(reconnectAfterMs);
  }
  onUsable(link) {
    const { connectionId, sessionId, userId, recovered } = link.hello;
    const old = this.link;
    this.#disarm();
    this.#next = void 0;
    this.#refusals = this.#notBefore = 0;
    this.#usableAt = this.#options.clock.now();
    this.#ticket = { sessionId, positions: {} };
    this.link = link;
    if (old !== void 0) {
      this.#handover?.leave();
      this.#handover = new Handover(
        old,
        this.#options.clock,
        this.#events.isAwaited,
        (left) => this.#left(left)
      );
    }
    this.#setState({ status: "connected", connectionId, sessionId, userId, recovered });
    if (this.link === link) this.#events.onLink(link);
  }
  onFrame(link, frame, text) {
    if (this.#overlap?.isOver(this.#options.clock.now())) this.#overlap = void 0;
    const isMessage = !frame.type.startsWith("$");
    if (!isMessage || !this.#overlap?.isRepeated(link, text)) this.#events.onFrame(link, frame);
    if (link === this.#handover?.old) this.#handover.check();
  }
  onEnd(link, code, reason) {
    if (link === this.#handover?.old) {
      this.#handover.stop();
      this.#left(link);
      return;
    }
    this.#end = { code, reason };
    if (link === this.#next) {
      this.#next = void 0;
      this.#retry(this.#backoff.afterFailure());
      return;
    }
    this.link = void 0;
    this.#overlap?.end(this.#options.clock.now());
    this.#events.onLost(link);
    if (this.#timer !== void 0 && shouldReconnect(code)) this.#setAway();
    else this.#retry(this.#backoff.afterLoss(this.#options.clock.now() - this.#usableAt));
  }
  #left(link) {
    this.#handover = void 0;
    this.#overlap?.end(this.#options.clock.now());
    this.#events.onLost(link);
  }
  #attempt() {
    this.#arm(this.#options.connectTimeoutMs, () => this.#fail("no $hello in time"));
    const timer = this.#timer;
    if (this.link !== void 0) this.#events.onLeaving(this.link);
    this.#setAway();
    this.#prepare().then(
      ([url, introduction]) => timer === this.#timer && this.#dial(url, introduction),
      (error) => {
        if (timer !== this.#timer) return;
        if (error instanceof UnauthenticatedError) this.close(UNAUTHENTICATED, error.message);
        else this.#fail(String(error));
      }
    );
  }
  async #prepare() {
    const address = this.#address;
    const url = await (typeof address === "function" ? address() : address);
    const token = await this.#options.token?.({ reason: this.#refusals > 0 ? "refused" : "connect" });
    return [url, { token: token ?? void 0, ticket: this.#ticket }];
  }
  #dial(url, introduction) {
    try {
      this.#next = new Link(resolveUrl(url), introduction, this.#options, this);
      if (this.link !== void 0) this.#overlap = new Overlap(this.link);
    } catch (error) {
      this.close(NO_CLOSE_FRAME, String(error));
    }
  }
  #fail(reason) {
    const link = this.#next;
    if (link?.settle()) return;
    this.#next = void 0;
    link?.leave(1e3, reason);
    this.#end = { code: NO_CLOSE_FRAME, reason };
    this.#retry(this.#backoff.afterFailure());
  }
  /** Decides what follows the end of an attempt or of a connection. */
  #retry(delayMs) {
    const { code, reason } = this.#end;
    const isRefused = code === UNAUTHENTICATED;
    this.#disarm();
    if (!shouldReconnect(code) || isRefused && ++this.#refusals > 1) return this.close(code, reason);
    const advice = this.#backoff.afterAdvice(reason);
    const waitMs = advice ?? (isRefused ? this.#backoff.soon() : delayMs);
    this.#backoff.attempt++;
    this.#notBefore = advice === void 0 ? 0 : this.#options.clock.now() + waitMs;
    this.#schedule(waitMs);
  }
  #schedule(delayMs) {
    this.#arm(delayMs, () => this.#attempt());
    this.#retryAt = this.#options.clock.now() + delayMs;
    this.#setAway();
  }
  #arm(delayMs, act) {
    this.#disarm();
    this.#timer = this.#options.clock.setTimeout(act, delayMs);
  }
  #disarm() {
    this.#options.clock.clearTimeout(this.#timer);
    this.#timer = this.#retryAt = void 0;
  }
  #setAway() {
    if (this.link !== void 0) return;
    const now = this.#options.clock.now();
    const retryAt = this.#retryAt ?? now;
    this.#setState({
      status: this.#ticket === void 0 ? "connecting" : "reconnecting",
      ...this.#end,
      attempt: this.#backoff.attempt,
      retryInMs: retryAt - now,
      retryAt
    });
  }
  #setState(state) {
    this.state = state;
    this.#events.onState(state);
  }
};

// lib/client/core-client.ts
var STATE = "$state";
var ERROR = "$error";
var UNSENT = "$unsent";
var CoreClient = class {
  options;
  #session;
  #outbox = new Outbox();
  calls;
  #messages;
  /** By the type of the message, or by what else there is to hear of. */
  listeners;
  /** Connects nothing yet, so it may be made anywhere: at module level, in a render, on a server. */
  constructor(address, options = {}) {
    const resolved = resolveClientOptions(options);
    const { clock, random } = resolved;
    this.options = resolved;
    this.listeners = new Listeners(clock);
    this.calls = new Calls(`${random().toString(36).slice(2)}-`, this.#outbox);
    this.#messages = new Messages(this.#outbox, clock, (unsent) => this.listeners.emit(UNSENT, unsent));
    this.#session = new Session(address, resolved, {
      onState: (state) => this.#changed(state),
      onLink: (link) => this.#outbox.open(link),
      onLeaving: (link) => this.#outbox.shut(link),
      onLost: (link) => {
        this.#outbox.shut(link);
        this.calls.lost(link);
      },
      onFrame: (link, frame) => {
        if (!this.calls.answer(frame)) this.receive(link, frame);
      },
      isAwaited: (link) => this.calls.isAwaited(link)
    });
  }
  /** What the client is doing now. */
  get state() {
    return this.#session.state;
  }
  /** Resolves when messages flow, however many attempts that takes; rejects with a `ClosedError` when they never will. */
  connect() {
    this.#session.start();
    const connected = new Promise((resolve, reject) => {
      const settle = (state) => {
        if (state.status === "connected") resolve();
        else if (state.status === "closed") reject(new ClosedError(state));
        else return;
        stop();
      };
      const stop = this.onStateChange(settle);
      settle(this.state);
    });
    connected.catch(() => void 0);
    return connected;
  }
  /** Ends it for good: what waits is given up with `closed`. Once is enough, twice does nothing more. */
  close() {
    this.#session.close(1e3, "closed by the client");
  }
  /** Checks the connection now, for runtimes whose signals are not the web's, such as React Native's `AppState`. */
  wake() {
    this.#session.wake();
  }
  /** Calls back for every message of a type; the returned function ends that. */
  on(type, tell) {
    this.use();
    return this.listeners.add(type, tell);
  }
  /** Sends a message that wants no answer. It never rejects for want of a connection: the outcome says what became of it. */
  send(type, ...[payload, options]) {
    this.use();
    const whileAway = options?.whileAway ?? this.options.whileAway;
    const away = whileAway === "drop" ? whileAway : whileAway.queue;
    return this.#messages.send(type, payload, this.#session.link?.isOpen ? "now" : away);
  }
  /** Sends a message and waits for its one reply; rejects with a `RequestError`, or with the signal's reason. */
  request(type, ...[payload, options]) {
    this.use();
    const terms = { timeoutMs: this.options.requestTimeoutMs, retry: "resumed", ...options };
    const answer = request(this.calls, this.options.clock, type, payload, terms);
    return answer;
  }
  /** Calls back after every change of `state`. */
  onStateChange(tell) {
    return this.listeners.add(STATE, tell);
  }
  /** Calls back for errors that answer no request, such as a refused `send`. */
  onError(tell) {
    return this.listeners.add(ERROR, tell);
  }
  /** Calls back for every `send` that was given up. */
  onUnsent(tell) {
    return this.listeners.add(UNSENT, tell);
  }
  /** Connects an idle client, unless only `connect()` may. */
  use() {
    if (this.options.autoConnect) this.#session.start();
  }
  #changed(state) {
    this.listeners.emit(STATE, state);
    if (state.status !== "closed") return;
    this.#outbox.close();
    this.calls.clear();
  }
  /** Takes a frame that answers nothing. */
  receive(link, { type, id, payload }) {
    if (type === "$goaway") {
      this.#session.goAway(link, payload.reconnectAfterMs);
    } else if (type === "$error" && id === void 0) {
      this.listeners.emit(ERROR, requestErrorOf(payload));
    } else if (type[0] !== "$") {
      this.listeners.emit(type, payload);
    }
  }
};
export {
  CoreClient
};
