/** The values that an option accepts. */
export interface OptionRule {
  /** Reads after "expected the option x to be". */
  readonly expected: string;
  readonly accepts: (value: unknown) => boolean;
}

// Node's timers and ws' counters end at 31 bits.
const MAX_INTEGER = 0x7fffffff;

export const positiveInteger: OptionRule = {
  expected: 'a positive integer',
  accepts: (value) => Number.isInteger(value) && (value as number) > 0 && (value as number) <= MAX_INTEGER,
};

export const switchedOnOrOff: OptionRule = {
  expected: 'true or false',
  accepts: (value) => typeof value === 'boolean',
};

export function orFalse({ expected, accepts }: OptionRule): OptionRule {
  return { expected: `${expected} or false`, accepts: (value) => value === false || accepts(value) };
}

/** An object with these methods. */
export function objectWith(...methods: readonly string[]): OptionRule {
  return {
    expected: `an object with the methods ${methods.join(', ')}`,
    accepts: (value) =>
      methods.every((method) => typeof (value as Record<string, unknown> | null)?.[method] === 'function'),
  };
}

/** Throws a sentence with what was expected, what was given, and the fix. */
export function checkOption(name: string, value: unknown, rule: OptionRule, byDefault: unknown): void {
  if (rule.accepts(value)) return;
  throw new TypeError(
    `RealtimeModule expected the option ${name} to be ${rule.expected}, got ${described(value)}: ${fixOf(value, byDefault)}.`,
  );
}

/** Throws a sentence that names the known option most like the unknown one, or all of them. */
export function refuseUnknownOption(name: string, known: readonly string[]): never {
  const nearest = nearestOf(name, known);
  const fix = nearest === undefined ? `the options are ${known.join(', ')}` : `did you mean "${nearest}"?`;
  throw new TypeError(`RealtimeModule has no option "${name}": ${fix}${nearest === undefined ? '.' : ''}`);
}

/** A short description of a value, without the secrets that an object or a long text may hold. */
export function described(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}

function fixOf(value: unknown, byDefault: unknown): string {
  if (value === 'true' || value === 'false') {
    return "text is never a switch, compare it first, such as process.env.NAME === 'true'";
  }
  if (typeof value === 'string' && /^\d+$/.test(value)) return 'convert it with Number()';
  const standard = typeof byDefault === 'object' ? undefined : byDefault;
  return standard === undefined
    ? 'correct it or leave it out'
    : `correct it, or leave it out for the default, ${typeof standard === 'string' ? `'${standard}'` : String(standard)}`;
}

function nearestOf(name: string, known: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  let nearest: string | undefined;
  // More than a third of the letters differ: another word, unless one begins with the other.
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const other = candidate.toLowerCase();
    const isBeginning = wanted.length > 3 && (other.startsWith(wanted) || wanted.startsWith(other));
    const distance = isBeginning ? 1 : editDistance(wanted, other);
    if (distance < least) [nearest, least] = [candidate, distance];
  }
  return nearest;
}

function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[to.length] as number;
}
