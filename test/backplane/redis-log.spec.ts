import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RedisLog } from '../../lib/backplane/redis/redis-log.js';
import { linesTo } from '../rig/redis/redis-node.js';

describe('RedisLog', () => {
  let lines: string[];
  let log: RedisLog;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
    lines = [];
    log = new RedisLog(linesTo(lines));
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('logs an outage once, its fault once a minute, and its end once', () => {
    log.stateChanged('up');
    for (let second = 0; second < 150; second++) {
      for (let i = 0; i < 6; i++) log.failed(new Error('connect ECONNREFUSED'));
      if (second >= 10) log.stateChanged('down');
      vi.advanceTimersByTime(1_000);
    }
    log.stateChanged('up');
    log.stateChanged('up');
    expect(lines).toEqual([
      'redis: up',
      'redis: connect ECONNREFUSED',
      'redis: down: other nodes cannot be reached, this one serves its own clients',
      'redis: connect ECONNREFUSED',
      'redis: connect ECONNREFUSED',
      'redis: up again after 140 s',
    ]);
  });

  it('logs the fault of a new outage at once', () => {
    log.failed(new Error('reset'));
    log.stateChanged('up');
    log.failed(new Error('reset'));
    expect(lines).toEqual(['redis: reset', 'redis: up', 'redis: reset']);
  });

  it('logs the first inner error of an error without a text', () => {
    log.failed(new AggregateError([new Error('connect ECONNREFUSED ::1:6379')]));
    log.failed(Object.assign(new Error(''), { code: 'ETIMEDOUT' }));
    expect(lines).toEqual(['redis: connect ECONNREFUSED ::1:6379', 'redis: ETIMEDOUT']);
  });

  it('remembers 100 faults at most', () => {
    for (let i = 0; i < 101; i++) log.failed(new Error(`fault ${i}`));
    log.failed(new Error('fault 100'));
    log.failed(new Error('fault 0'));
    expect(lines).toHaveLength(102);
  });
});
