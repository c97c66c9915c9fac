// What the page of react.spec.ts runs: a component tree in StrictMode, and what a test may see of it.
import { Activity, createElement, StrictMode, useState, type ReactElement } from 'react';
import { createRoot, type Container } from 'react-dom/client';
import { RealtimeClient } from '../../lib/client/index.js';
import {
  RealtimeProvider,
  useConnectionState,
  useMessage,
  useRealtime,
  useRequest,
} from '../../lib/client/react.js';
import type { talk } from './runtimes/talk.gateway.js';

type Talk = typeof talk;

function Board(): ReactElement {
  const client = useRealtime<Talk>();
  const { status } = useConnectionState(client);
  const [received, setReceived] = useState<number[]>([]);
  const add = useRequest(client, 'add');
  const refuse = useRequest(client, 'refuse');
  useMessage(client, 'news', ({ n }) => setReceived([...received, n]));
  const code = (refuse.error as { code?: string } | undefined)?.code ?? '';
  return createElement(
    'main',
    null,
    createElement('output', { id: 'status' }, status),
    createElement('output', { id: 'received' }, received.join()),
    createElement('output', { id: 'total' }, add.isPending ? 'pending' : String(add.reply?.total ?? '')),
    createElement('output', { id: 'refusal' }, code),
    createElement('button', { id: 'add', onClick: () => void add.request({ n: 1 }) }, 'add'),
    createElement('button', { id: 'refuse', onClick: () => void refuse.request() }, 'refuse'),
  );
}

const scope = globalThis as unknown as {
  readonly document: { getElementById(id: string): Container | null };
  mount: (address: string) => void;
  unmount: () => void;
  show: (mode: 'visible' | 'hidden') => void;
  remount: () => void;
  clients: RealtimeClient<Talk>[];
};

scope.clients = [];
scope.mount = (address) => {
  const root = createRoot(scope.document.getElementById('root') as Container);
  const make = () => {
    const client = new RealtimeClient<Talk>(address, {
      token: () => 'good',
      firstRetrySpreadMs: 50,
      minRetryMs: 10,
    });
    scope.clients.push(client);
    return client;
  };
  const tree = createElement(RealtimeProvider<Talk>, { client: make }, createElement(Board));
  const render = (mode: 'visible' | 'hidden', key: string) => {
    root.render(createElement(StrictMode, null, createElement(Activity, { mode, key, children: tree })));
  };
  render('visible', 'first');
  scope.show = (mode) => render(mode, 'first');
  scope.remount = () => render('visible', 'second');
  scope.unmount = () => root.unmount();
};
