import { expect, it } from 'vitest';
import { Services } from '../lib/realtime.services.js';

it('services start in order, and stop in reverse even after one that fails', async () => {
  const calls: string[] = [];
  const service = (name: string, fails = false) => ({
    start: () => void calls.push(`start ${name}`),
    stop: async () => {
      calls.push(`stop ${name}`);
      if (fails) throw new Error(`${name} failed`);
    },
  });
  const services = new Services([service('a'), service('b', true), {}, service('c', true)]);
  await services.start();
  await expect(services.stop()).rejects.toThrow('c failed');
  expect(calls).toEqual(['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a']);
});
