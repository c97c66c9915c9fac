import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Frame } from '../../lib/connections/frame.js';
import { FrameHold } from '../../lib/connections/frame-hold.js';

const MAX_BYTES = 1_000;
const message = (name: string, channel?: string, position?: string) =>
  new Frame(`{"type":"${name}"}`, channel, position);

/** Adds each frame that the hold holds; the names of those it does not hold. */
function pass(hold: FrameHold, frames: readonly Frame[]): string[] {
  const passed = [];
  for (const frame of frames) {
    if (!hold.holds(frame)) passed.push(nameOf(frame));
    else expect(hold.add(frame, 'live')).toBe(true);
  }
  return passed;
}

const nameOf = ({ text }: Frame) => (JSON.parse(text) as { type: string }).type;
const released = (hold: FrameHold, channel?: string, afterPosition?: string) =>
  hold.release(channel, afterPosition).map(({ frame }) => nameOf(frame));

describe('a FrameHold', () => {
  it('holds every frame of a connection until its release, in order and with their delivery', () => {
    const hold = new FrameHold(MAX_BYTES);
    hold.hold();
    hold.add(message('a'), 'live');
    hold.add(message('b', 'room:1'), 'volatile');
    expect(hold.release().map(({ frame, delivery }) => [nameOf(frame), delivery])).toEqual([
      ['a', 'live'],
      ['b', 'volatile'],
    ]);
    expect([hold.isIdle, hold.holds(message('c')), hold.release()]).toEqual([true, false, []]);
  });

  it('holds the frames of one channel and lets those of others pass', () => {
    const hold = new FrameHold(MAX_BYTES);
    hold.hold('room:1');
    expect(pass(hold, [message('a', 'room:1'), message('b', 'room:2'), message('c')])).toEqual(['b', 'c']);
    expect(released(hold, 'room:1')).toEqual(['a']);
    expect(hold.isIdle).toBe(true);
  });

  it('drops what is not after the last position, and nothing without a position or of another channel', () => {
    const hold = new FrameHold(MAX_BYTES);
    hold.hold();
    hold.hold('room:1');
    const frames = [
      message('old', 'room:1', 'e:6:a'),
      message('last', 'room:1', 'e:7:b'),
      message('live', 'room:1'),
      message('other', 'room:2', 'e:1:c'),
      message('new', 'room:1', 'e:8:d'),
    ];
    expect(pass(hold, frames)).toEqual([]);
    expect(released(hold, 'room:1', 'e:7:b')).toEqual([]);
    expect(released(hold)).toEqual(['live', 'other', 'new']);
  });

  it('keeps the frames of a held channel when the connection is released', () => {
    const hold = new FrameHold(MAX_BYTES);
    hold.hold();
    hold.hold('room:1');
    pass(hold, [message('a', 'room:1'), message('b')]);
    expect(released(hold)).toEqual(['b']);
    expect(hold.isIdle).toBe(false);
    expect(released(hold, 'room:1')).toEqual(['a']);
  });

  it('refuses more bytes than may wait, and has room again after a release', () => {
    const hold = new FrameHold(MAX_BYTES);
    hold.hold('room:1');
    hold.hold('room:2');
    const frame = (channel: string) => new Frame(`{"x":"${'x'.repeat(360)}"}`, channel);
    expect([hold.add(frame('room:1'), 'live'), hold.add(frame('room:2'), 'live')]).toEqual([true, true]);
    expect(hold.add(frame('room:2'), 'live')).toBe(false);
    hold.release('room:2');
    expect(hold.add(frame('room:1'), 'live')).toBe(true);
  });

  it('releases each frame once and in the order of its channel, whatever is held and released', () => {
    const channel = fc.constantFrom(undefined, 'room:1', 'room:2');
    const step = fc.record({ action: fc.constantFrom('hold', 'release', 'send'), channel });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const hold = new FrameHold(1_000_000);
        hold.hold();
        const out: string[] = [];
        steps.forEach(({ action, channel }, i) => {
          if (action === 'hold') hold.hold(channel);
          else if (action === 'release') out.push(...released(hold, channel));
          else out.push(...pass(hold, [message(`${channel}/${i}`, channel)]));
        });
        out.push(...released(hold, 'room:1'), ...released(hold, 'room:2'), ...released(hold));
        for (const channel of ['undefined', 'room:1', 'room:2']) {
          const indexes = out
            .filter((name) => name.startsWith(`${channel}/`))
            .map((name) => name.split('/')[1]);
          expect(indexes.map(Number)).toEqual(indexes.map(Number).toSorted((a, b) => a - b));
        }
        expect(out.length).toBe(steps.filter(({ action }) => action === 'send').length);
      }),
    );
  });
});
