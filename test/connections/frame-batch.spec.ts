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
const batchOf = ([first, ...rest]: Frame[]) =>
  rest.reduce((batch, frame) => batch.and(frame), new FrameBatch(first as Frame));

function written(batch: FrameBatch): Buffer[] {
  const socket = new Recorder();
  batch.writeTo(socket);
  return socket.calls;
}

describe('a frame batch', () => {
  it('writes one frame as the very bytes of the frame', () => {
    const [frame] = frames('alone');
    expect(written(batchOf([frame as Frame]))[0]).toBe(frame?.bytes);
  });

  it('writes several frames in order and at once', () => {
    const some = frames('a', 'ü', 'c'.repeat(200));
    expect(written(batchOf(some))).toEqual([Buffer.concat(some.map(({ bytes }) => bytes))]);
  });

  it('is the same batch, with the same bytes, for every socket with the same frames', () => {
    const [a, b, c] = frames('a', 'b', 'c') as [Frame, Frame, Frame];
    const batch = new FrameBatch(a);
    expect(batch.and(b).and(c)).toBe(batch.and(b).and(c));
    expect(written(batch.and(b).and(c))[0]).toBe(written(batch.and(b).and(c))[0]);
  });

  it('is another batch for a socket with other frames, and leaves the first as it was', () => {
    const [a, b, c] = frames('a', 'b', 'c') as [Frame, Frame, Frame];
    const batch = new FrameBatch(a);
    const [ab, ac] = [batch.and(b), batch.and(c)];
    expect(written(ab)).toEqual([Buffer.concat([a.bytes, b.bytes])]);
    expect(written(ac)).toEqual([Buffer.concat([a.bytes, c.bytes])]);
    expect(written(batch)).toEqual([a.bytes]);
  });

  it('does not copy what is large, and still writes it at once', () => {
    const some = frames('x'.repeat(30_000), 'y'.repeat(30_000), 'z');
    const [call, ...more] = written(batchOf(some));
    expect(call?.equals(Buffer.concat(some.map(({ bytes }) => bytes)))).toBe(true);
    expect(more).toEqual([]);
  });

  it('knows how many bytes it is before it has made them', () => {
    for (const texts of [['a'], ['a', 'ü€😀'], ['x'.repeat(125), 'x'.repeat(126), 'x'.repeat(70_000)]]) {
      const batch = batchOf(frames(...texts));
      expect(batch.length).toBe(Buffer.concat(written(batch)).length);
    }
  });
});
