import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Frame } from '../../lib/connections/frame.js';
import { FrameBatch } from '../../lib/connections/frame-batch.js';

/** A socket that keeps what it is given, one entry for each system call that a real one would make. */
class Recorder extends Writable {
  readonly calls: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.calls.push(chunk);
    done();
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.calls.push(Buffer.concat(chunks.map(({ chunk }) => chunk)));
    done();
  }
}

const frames = (...texts: string[]) => texts.map((text) => new Frame(text));
const runOf = ([first, ...rest]: Frame[]) =>
  rest.reduce((run, frame) => run.and(frame), new FrameBatch(first as Frame));

function written(run: FrameBatch): Buffer[] {
  const socket = new Recorder();
  run.writeTo(socket);
  return socket.calls;
}

describe('a frame batch', () => {
  it('writes one frame as the very bytes of the frame', () => {
    const [frame] = frames('alone');
    expect(written(runOf([frame as Frame]))[0]).toBe(frame?.bytes);
  });

  it('writes several frames in order and at once', () => {
    const some = frames('a', 'ü', 'c'.repeat(200));
    expect(written(runOf(some))).toEqual([Buffer.concat(some.map(({ bytes }) => bytes))]);
  });

  it('is the same run, with the same bytes, for whoever was sent the same', () => {
    const [a, b, c] = frames('a', 'b', 'c') as [Frame, Frame, Frame];
    const run = new FrameBatch(a);
    expect(run.and(b).and(c)).toBe(run.and(b).and(c));
    expect(written(run.and(b).and(c))[0]).toBe(written(run.and(b).and(c))[0]);
  });

  it('is another run for whoever was sent something else, and leaves the first as it was', () => {
    const [a, b, c] = frames('a', 'b', 'c') as [Frame, Frame, Frame];
    const run = new FrameBatch(a);
    const [ab, ac] = [run.and(b), run.and(c)];
    expect(written(ab)).toEqual([Buffer.concat([a.bytes, b.bytes])]);
    expect(written(ac)).toEqual([Buffer.concat([a.bytes, c.bytes])]);
    expect(written(run)).toEqual([a.bytes]);
  });

  it('does not copy what is large, and still writes it at once', () => {
    const some = frames('x'.repeat(30_000), 'y'.repeat(30_000), 'z');
    const [call, ...more] = written(runOf(some));
    expect(call?.equals(Buffer.concat(some.map(({ bytes }) => bytes)))).toBe(true);
    expect(more).toEqual([]);
  });

  it('knows how many bytes it is before it has made them', () => {
    for (const texts of [['a'], ['a', 'ü€😀'], ['x'.repeat(125), 'x'.repeat(126), 'x'.repeat(70_000)]]) {
      const run = runOf(frames(...texts));
      expect(run.length).toBe(Buffer.concat(written(run)).length);
    }
  });
});
