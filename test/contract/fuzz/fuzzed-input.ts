import fc from 'fast-check';
import { constraintKinds } from './constraint-kinds.js';
import { holdsObjects } from './fuzzed-class.js';
import type { ClassSpec, PropertySpec } from './fuzzed-class.js';

const samples = Object.values(constraintKinds).flatMap(([, ...accepted]) => accepted);
const odd = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -1, 1.5, 1e9, '', ' a ', 'x', [], {}, [[]], [null], {
    kind: 'nested',
  }),
  fc.constantFrom(...samples),
  fc.jsonValue({ maxDepth: 2 }),
);
const ABSENT = Symbol('absent');

/** JSON for a class: most values fit, some do not. */
export function inputFor(spec: ClassSpec): fc.Arbitrary<Record<string, unknown>> {
  const fields: Record<string, fc.Arbitrary<unknown>> = {};
  const add = (name: string, property: PropertySpec) => {
    const key = property.exposed === 'by another name' ? `${name}_name` : name;
    fields[key] = fc.oneof(
      { weight: 14, arbitrary: fitting(property, spec) },
      { weight: 1, arbitrary: odd },
      { weight: 1, arbitrary: fc.constant(ABSENT) },
    );
  };
  spec.inherited.forEach((property, index) => add(`b${index}`, property));
  spec.properties.forEach((property, index) => add(`p${index}`, property));
  fields['extra'] = fc.oneof({ weight: 9, arbitrary: fc.constant(ABSENT) }, { weight: 1, arbitrary: odd });
  return fc.record(fields).map((made) => {
    const present = Object.entries(made).filter(([, value]) => value !== ABSENT);
    return withoutMembers(JSON.parse(JSON.stringify(Object.fromEntries(present)))) as Record<string, unknown>;
  });
}

function fitting(property: PropertySpec, { nested, other }: ClassSpec): fc.Arbitrary<unknown> {
  if (!holdsObjects(property)) {
    const [first] = property.constraints;
    const accepted = first ? constraintKinds[first.kind]!.slice(1) : samples;
    const one = fc.constantFrom(...accepted);
    return first?.each === true ? fc.array(one, { maxLength: 3 }) : one;
  }
  const inner: fc.Arbitrary<unknown> = nested ? inputFor(nested) : fc.constant({});
  const outer: fc.Arbitrary<unknown> = other ? inputFor(other) : fc.constant({});
  const named = (kind: string, arbitrary: fc.Arbitrary<unknown>) =>
    arbitrary.map((value) => ({ ...(value as object), kind }));
  const either = fc.oneof(named('nested', inner), named('other', outer), named('none', inner), inner);
  switch (property.shape) {
    case 'list':
    case 'set':
      return fc.array(inner, { maxLength: 3 });
    case 'map':
      return fc.dictionary(fc.constantFrom('k1', 'k2', 'k3'), inner, { maxKeys: 2 });
    case 'discriminated':
      return either;
    case 'discriminated list':
      return fc.array(either, { maxLength: 3 });
    default:
      return fc.oneof(inner, outer);
  }
}

/** Keys that every object or Map has are an intended difference, tested separately. */
function withoutMembers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutMembers);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => !(key in Object.prototype) && !(key in Map.prototype));
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutMembers(item)]));
}
