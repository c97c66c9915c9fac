import {
  createContext,
  createElement,
  useCallback,
  useContext,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
  type ReactElement,
  type ReactNode,
} from 'react';
import type {
  AnyContract,
  ClientPayload,
  ClientReply,
  ClientType,
  ServerPayload,
  ServerType,
} from '../contract/contract-types.js';
import type { ConnectionState, Idle } from './connection-state.js';
import { scope } from './environment.js';
import type { RealtimeClient } from './realtime-client.js';
import type { PayloadArguments, RequestOptions } from './send.options.js';

export interface RealtimeProviderProps<C extends AnyContract> {
  /** A client, which stays the caller's, or a function that makes one, which the provider closes when it is unmounted. */
  readonly client: RealtimeClient<C> | (() => RealtimeClient<C>);
  readonly children?: ReactNode;
}

/** The last request that a component made. */
export interface RequestState<Reply> {
  readonly isPending: boolean;
  readonly reply: Reply | undefined;
  readonly error: unknown;
}

export interface RequestHandle<C extends AnyContract, T extends ClientType<C>> extends RequestState<
  ClientReply<C, T>
> {
  /** Asks; who does not wait for the promise finds the outcome in the state. */
  readonly request: (
    ...args: PayloadArguments<ClientPayload<C, T>, RequestOptions>
  ) => Promise<ClientReply<C, T>>;
}

const Context = createContext<unknown>(undefined);
const IDLE: Idle = { status: 'idle' };
const NOT_ASKED = { isPending: false, reply: undefined, error: undefined };

/** Gives a client to every component below it. */
export function RealtimeProvider<C extends AnyContract>({
  client,
  children,
}: RealtimeProviderProps<C>): ReactElement {
  // StrictMode makes two and keeps one; the other was never connected.
  const [made] = useState(() => (typeof client === 'function' ? client() : undefined));
  const closing = useRef<unknown>(undefined);
  const hasClosed = useRef(false);
  useEffect(() => {
    scope.clearTimeout(closing.current);
    // `<Activity>` shows again what it hid, and a client that has never connected is not closed below.
    if (hasClosed.current) void made?.connect();
    hasClosed.current = false;
    return () => {
      // StrictMode unmounts and mounts again in one go: that is no reason to close.
      closing.current = scope.setTimeout(() => {
        hasClosed.current = made !== undefined && /^(connect|reconnect)/.test(made.state.status);
        if (hasClosed.current) made?.close();
      }, 0);
    };
  }, [made]);
  return createElement(Context.Provider, { value: typeof client === 'function' ? made : client }, children);
}

/** The client given, or that of the provider above. */
export function useRealtime<C extends AnyContract>(client?: RealtimeClient<C>): RealtimeClient<C> {
  const provided = useContext(Context) as RealtimeClient<C> | undefined;
  const found = client ?? provided;
  if (found === undefined) {
    throw new Error('useRealtime found no client: pass one, or put a <RealtimeProvider client={…}> above.');
  }
  return found;
}

/** PendingRequests back for every message of a type while the component is mounted; `tell` may be a new function at each render. */
export function useMessage<C extends AnyContract, T extends ServerType<C>>(
  client: RealtimeClient<C>,
  type: T,
  tell: (payload: ServerPayload<C, T>) => void,
): void {
  const latest = useRef(tell);
  useEffect(() => {
    latest.current = tell;
  });
  useEffect(() => client.on(type, (payload) => latest.current(payload)), [client, type]);
}

/** Asks the server when told to, and knows the outcome of the last time. An unmounted component gives nothing up. */
export function useRequest<C extends AnyContract, T extends ClientType<C>>(
  client: RealtimeClient<C>,
  type: T,
): RequestHandle<C, T> {
  const [state, setState] = useState<RequestState<ClientReply<C, T>>>(NOT_ASKED);
  const turn = useRef(0);
  const request = useCallback(
    (...args: PayloadArguments<ClientPayload<C, T>, RequestOptions>) => {
      const mine = ++turn.current;
      const settle = (outcome: Partial<RequestState<ClientReply<C, T>>>) => {
        if (mine === turn.current) setState({ ...NOT_ASKED, ...outcome });
      };
      settle({ isPending: true });
      const asked = client.request(type, ...args);
      asked.then(
        (reply) => settle({ reply }),
        (error: unknown) => settle({ error }),
      );
      return asked;
    },
    [client, type],
  );
  return { ...state, request };
}

/** What the client is doing, for a badge or a countdown. */
export function useConnectionState<C extends AnyContract>(client: RealtimeClient<C>): ConnectionState {
  const subscribe = useCallback((onChange: () => void) => client.onStateChange(onChange), [client]);
  return useSyncExternalStore(
    subscribe,
    () => client.state,
    () => IDLE,
  );
}
