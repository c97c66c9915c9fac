import { describe, expect, it } from 'vitest';
import { openLobby, type Lobby } from './lobby.js';
import { upgrade } from '../rig/sockets/upgrade-request.js';

const linesAbout = ({ log }: Lobby, event: string) =>
  log.lines.map(({ text }) => text).filter((text) => text.startsWith(event));

async function leaveWith(lobby: Lobby, code: number, reason: string): Promise<void> {
  const gone = lobby.visits.departure();
  const client = await lobby.app.connect('/lobby', { token: 'ann' });
  client.socket.close(code, reason);
  await gone;
}

describe('a log line', () => {
  it('reports a connect with user, IP and the number of connections', async () => {
    const lobby = await openLobby({ authenticate: ({ token }) => ({ userId: token }) });
    const { connectionId } = await lobby.app.open('/lobby', { token: 'ann' }).hello();
    expect(linesAbout(lobby, 'connect ')).toEqual([
      `connect id=${connectionId} userId=ann ip=127.0.0.1 path=/lobby connections=1 Realtime`,
    ]);
  });

  it('reports a disconnect with user, code, duration and message counts', async () => {
    const lobby = await openLobby({ authenticate: ({ token }) => ({ userId: token }) });
    const gone = lobby.visits.departure();
    const client = await lobby.app.connect('/lobby', { token: 'ann' });
    await client.request('say', { text: 's3cret' });
    client.socket.close(4000, 'bye');
    await gone;
    expect(linesAbout(lobby, 'disconnect ').join()).toMatch(
      /^disconnect id=\S+ userId=ann ip=127\.0\.0\.1 path=\/lobby code=4000 reason=bye durationMs=\d+ received=1 Realtime$/,
    );
    expect(lobby.log.text).not.toContain('s3cret');
  });

  it("cannot be forged by a client's close reason, user id or origin", async () => {
    const lobby = await openLobby({ authenticate: () => ({ userId: 'ann\nconnect id=fake' }) });
    await leaveWith(lobby, 4000, 'bye\nconnect id=fake userId=root "quoted" \u001b[31m');
    const [line = ''] = linesAbout(lobby, 'disconnect ');
    expect(line.split('\n')).toHaveLength(1);
    expect(line).toContain(String.raw`reason="bye\nconnect id=fake userId=root \"quoted\" \u001b[31m"`);
    await upgrade(lobby.app.port, { headers: { Origin: 'https://evil.example status=101 "' } });
    expect(linesAbout(lobby, 'refused ').join()).toContain(
      String.raw`origin="https://evil.example status=101 \""`,
    );
    expect(linesAbout(lobby, 'connect id=fake')).toEqual([]);
  });

  it('is written for refusals but not for connects and disconnects with logConnections: false', async () => {
    const lobby = await openLobby({ logConnections: false, origins: ['https://a.example'] });
    await leaveWith(lobby, 1000, '');
    await upgrade(lobby.app.port, { headers: { Origin: 'https://evil.example' } });
    expect(linesAbout(lobby, 'connect ')).toEqual([]);
    expect(linesAbout(lobby, 'disconnect ')).toEqual([]);
    expect(linesAbout(lobby, 'refused ')).toHaveLength(1);
  });

  it('stands for many refusals of one kind, so that clients cannot flood the log', async () => {
    const lobby = await openLobby({ origins: ['https://a.example'] });
    for (let i = 0; i < 50; i++)
      await upgrade(lobby.app.port, { headers: { Origin: 'https://evil.example' } });
    expect(linesAbout(lobby, 'refused ').length).toBeLessThan(5);
    expect(lobby.metrics.upgradesRefused.of('origin')).toBe(50);
  });
});
