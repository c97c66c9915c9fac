const MAX_CHARACTERS = 256;
const MAX_BYTES = 512;
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Throws a TypeError that describes the fault when a value is not a room name. */
export function checkRoomName(room: unknown): asserts room is string {
  const fault = faultOf(room);
  if (fault === undefined) return;
  throw new TypeError(`Expected a room name of 1 to ${MAX_CHARACTERS} characters, got ${fault}.`);
}

function faultOf(room: unknown): string | undefined {
  if (typeof room !== 'string') return room === null ? 'null' : `a value of type ${typeof room}`;
  if (room === '') return 'an empty text';
  if (room.length > MAX_CHARACTERS) return `${room.length} characters`;
  if (CONTROL.test(room)) return 'one with control characters';
  if (LONE_SURROGATE.test(room)) return 'one with a lone surrogate';
  // A character takes at most three bytes per UTF-16 unit.
  if (room.length * 3 <= MAX_BYTES) return undefined;
  const bytes = Buffer.byteLength(room);
  return bytes > MAX_BYTES ? `${bytes} bytes of UTF-8, which is more than ${MAX_BYTES}` : undefined;
}
