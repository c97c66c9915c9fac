import { expect, it } from 'vitest';
import { openLobby, type Lobby } from './lobby.js';
import { upgrade } from '../rig/sockets/upgrade-request.js';

const refusals = ({ log }: Lobby) =>
  log.lines.map(({ text }) => text).filter((text) => text.startsWith('refused '));

it('a refused origin is logged with the path, the origin and the host it was compared with, without the query', async () => {
  const lobby = await openLobby();
  const headers = { Origin: 'https://evil.example', Host: 'app.example.com' };
  await upgrade(lobby.app.port, { path: '/lobby?ticket=s3cret', headers });
  expect(refusals(lobby)).toEqual([
    'refused reason=origin status=403 ip=127.0.0.1 path=/lobby origin=https://evil.example expected="host app.example.com" Realtime',
  ]);
});

it('a refused origin is logged with the listed origins', async () => {
  const lobby = await openLobby({ origins: ['https://a.example', 'https://b.example'] });
  await upgrade(lobby.app.port, { headers: { Origin: 'https://evil.example' } });
  expect(refusals(lobby).join()).toContain('expected="https://a.example https://b.example"');
});

it('an unknown path is logged without its query, with the known paths', async () => {
  const lobby = await openLobby();
  await upgrade(lobby.app.port, { path: '/lobbby?ticket=s3cret' });
  expect(refusals(lobby)).toEqual(['refused reason=path status=404 path=/lobbby known=/lobby Realtime']);
});

it('a refusal by IP logs that a proxy is not trusted', async () => {
  const lobby = await openLobby({ maxConnectionsPerIp: 1 });
  await lobby.app.connect('/lobby');
  await upgrade(lobby.app.port, { headers: { 'X-Forwarded-For': '203.0.113.1' } });
  expect(refusals(lobby).join()).toContain('note="X-Forwarded-For is not trusted: see trustProxy"');
});

it('client text is truncated, and a thousand refusals are few lines', async () => {
  const lobby = await openLobby();
  const path = `/${'x'.repeat(5_000)}`;
  for (let i = 0; i < 100; i++) await upgrade(lobby.app.port, { path });
  expect(refusals(lobby).length).toBeLessThan(5);
  expect(refusals(lobby).every((line) => line.length < 400)).toBe(true);
});
