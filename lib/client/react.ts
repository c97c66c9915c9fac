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
  /** A client, or a function that creates one; the provider closes the one it created when it is unmounted. */
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
  /** Sends the request; the outcome is in the state too. */
  readonly request: (
    ...args: PayloadArguments<ClientPayload<C, T>, RequestOptions>
  ) => Promise<ClientReply<C, T>>;
}

const Context = createContext<unknown>(undefined);
const IDLE: Idle = { status: 'idle' };
const NO_REQUEST = { isPending: false, reply: undefined, error: undefined };

/** Provides a client to every component below it. */
export function RealtimeProvider<C extends AnyContract>({
  client,
  children,
}: RealtimeProviderProps<C>): ReactElement {
  // StrictMode creates two and keeps one; the other was never connected.
  const [made] = useState(() => (typeof client === 'function' ? client() : undefined));
  const closing = useRef<unknown>(undefined);
  const hasClosed = useRef(false);
  useEffect(() => {
    scope.clearTimeout(closing.current);
    // `<Activity>` may show again what it hid; a client that was never connected is not closed below.
    if (hasClosed.current) void made?.connect();
    hasClosed.current = false;
    return () => {
      // StrictMode unmounts and mounts again in one turn: the client stays open.
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

/** Calls `listener` for every message of a type while the component is mounted; it may be a new function at each render. */
export function useMessage<C extends AnyContract, T extends ServerType<C>>(
  client: RealtimeClient<C>,
  type: T,
  listener: (payload: ServerPayload<C, T>) => void,
): void {
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => client.on(type, (payload) => latest.current(payload)), [client, type]);
}

/** A function that sends a request, and the state of the last one. Unmounting does not abort a request. */
export function useRequest<C extends AnyContract, T extends ClientType<C>>(
  client: RealtimeClient<C>,
  type: T,
): RequestHandle<C, T> {
  const [state, setState] = useState<RequestState<ClientReply<C, T>>>(NO_REQUEST);
  const turn = useRef(0);
  const request = useCallback(
    (...args: PayloadArguments<ClientPayload<C, T>, RequestOptions>) => {
      const own = ++turn.current;
      const settle = (outcome: Partial<RequestState<ClientReply<C, T>>>) => {
        if (own === turn.current) setState({ ...NO_REQUEST, ...outcome });
      };
      settle({ isPending: true });
      const reply = client.request(type, ...args);
      reply.then(
        (value) => settle({ reply: value }),
        (error: unknown) => settle({ error }),
      );
      return reply;
    },
    [client, type],
  );
  return { ...state, request };
}

/** The client's state, for a badge or a countdown. */
export function useConnectionState<C extends AnyContract>(client: RealtimeClient<C>): ConnectionState {
  const subscribe = useCallback((onChange: () => void) => client.onStateChange(onChange), [client]);
  return useSyncExternalStore(
    subscribe,
    () => client.state,
    () => IDLE,
  );
}
