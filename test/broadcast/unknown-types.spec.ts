import { MemoryBackplane, MemoryHub } from 'nestjs-realtime';
import { expect, it } from 'vitest';
import { openLobby } from '../gateway/lobby.js';

it('warns once a minute of messages from other nodes whose types no contract of this node knows', async () => {
  const hub = new MemoryHub();
  const { log } = await openLobby({ backplane: new MemoryBackplane(hub) });
  const other = new MemoryBackplane(hub);
  const to = { kind: 'all', key: '' } as const;
  for (let i = 0; i < 100; i++) {
    const type = `other:${i}\n`;
    await other.publish('all', { kind: 'message', to, type, text: '{}', except: [], delivery: 'live' });
  }
  expect(log.of('error')).toEqual([]);
  const warnings = log.of('warn');
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain(
    'Another node sent the message "other:0\\n", which no contract of this node knows, so no connection here gets it: ' +
      'deploy the same contracts to every node.',
  );
});
