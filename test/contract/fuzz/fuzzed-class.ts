import { Exclude, Expose, Transform, Type } from 'class-transformer';
import { getMetadataStorage, IsOptional, MetadataStorage, ValidateIf, ValidateNested } from 'class-validator';
import fc from 'fast-check';
import { constraintKinds } from './constraint-kinds.js';

type Class = new () => object;
interface ConstraintSpec {
  readonly kind: string;
  readonly each: boolean;
  readonly groups: readonly string[];
  readonly always: boolean;
  readonly onlyFor: 'every value' | 'text';
}
export interface PropertySpec {
  readonly shape: (typeof shapes)[number];
  readonly constraints: readonly ConstraintSpec[];
  readonly optional: 'no' | 'IsOptional' | 'ValidateIf';
  readonly checksNested: boolean;
  readonly transform: 'none' | 'trim' | 'wrap' | 'throw';
  readonly exposed: 'no' | 'as it is' | 'by another name' | 'in a group';
  readonly excluded: boolean;
}
export interface ClassSpec {
  readonly properties: readonly PropertySpec[];
  readonly inherited: readonly PropertySpec[];
  readonly nested: ClassSpec | undefined;
  readonly other: ClassSpec | undefined;
  readonly strategy: 'none' | 'exposeAll' | 'excludeAll';
  readonly hasDefaults: boolean;
}

const shapes = [
  'untyped', 'untyped', 'untyped', 'date', 'number', 'text', 'boolean', 'buffer',
  'nested', 'list', 'set', 'map', 'discriminated', 'discriminated list', 'chosen by input',
] as const; // prettier-ignore
export const GROUPS = ['create', 'update'];
const rarely = <T>(often: T, ...others: T[]) =>
  fc.oneof(
    { arbitrary: fc.constant(often), weight: 5 },
    { arbitrary: fc.constantFrom(...others), weight: 1 },
  );

const constraint: fc.Arbitrary<ConstraintSpec> = fc.record({
  kind: fc.constantFrom(...Object.keys(constraintKinds)),
  each: rarely(false, true),
  groups: rarely<readonly string[]>([], ['create'], ['update'], GROUPS),
  always: rarely(false, true),
  onlyFor: rarely<ConstraintSpec['onlyFor']>('every value', 'text'),
});
const property: fc.Arbitrary<PropertySpec> = fc
  .record({
    shape: fc.constantFrom(...shapes),
    constraints: fc.oneof(
      { weight: 5, arbitrary: fc.array(constraint, { maxLength: 1 }) },
      { weight: 1, arbitrary: fc.array(constraint, { minLength: 2, maxLength: 2 }) },
    ),
    optional: rarely<PropertySpec['optional']>('no', 'IsOptional', 'ValidateIf'),
    checksNested: rarely(true, false),
    transform: rarely<PropertySpec['transform']>('none', 'none', 'none', 'trim', 'trim', 'wrap', 'throw'),
    exposed: rarely<PropertySpec['exposed']>('no', 'as it is', 'by another name', 'in a group'),
    excluded: rarely(false, false, false, true),
  })
  .map((made) => {
    // A value that fits constraints seldom fits a nested class too.
    const isBoth = made.shape !== 'untyped' && made.exposed === 'no' && made.optional === 'no';
    return isBoth ? { ...made, constraints: [] } : made;
  });

export function classSpec(depth = 2): fc.Arbitrary<ClassSpec> {
  const inner = depth === 0 ? fc.constant(undefined) : classSpec(depth - 1);
  return fc.record({
    properties: fc.array(property, { minLength: 1, maxLength: 4 }),
    inherited: fc.array(property, { maxLength: 1 }),
    nested: inner,
    other: inner,
    strategy: rarely<ClassSpec['strategy']>('none', 'exposeAll', 'excludeAll'),
    hasDefaults: fc.boolean(),
  });
}

/** Registers a class for the spec in class-validator's storage, emptied first to keep look-ups fast. */
export function buildClass(spec: ClassSpec): Class {
  (globalThis as { classValidatorMetadataStorage?: MetadataStorage }).classValidatorMetadataStorage =
    new MetadataStorage();
  getMetadataStorage();
  return build(spec);
}

function build(spec: ClassSpec): Class {
  const nested = spec.nested && build(spec.nested);
  const other = spec.other && build(spec.other);
  class Base {}
  class Fuzzed extends Base {
    constructor() {
      super();
      if (spec.hasDefaults) Object.assign(this, { p0: 'default' });
    }
  }
  if (spec.strategy === 'exposeAll') Expose()(Fuzzed);
  if (spec.strategy === 'excludeAll') Exclude()(Fuzzed);
  spec.inherited.forEach((one, index) => decorate(Base.prototype, `b${index}`, one, nested, other));
  spec.properties.forEach((one, index) => decorate(Fuzzed.prototype, `p${index}`, one, nested, other));
  return Fuzzed;
}

function decorate(target: object, name: string, spec: PropertySpec, nested?: Class, other?: Class): void {
  const apply = (decorator: PropertyDecorator) => decorator(target, name);
  for (const { kind, onlyFor, ...options } of spec.constraints) {
    const validateIf = (_object: unknown, value: unknown) => typeof value === 'string';
    apply(
      constraintKinds[kind]![0]({
        each: options.each,
        groups: [...options.groups],
        ...(options.always ? { always: true } : {}),
        ...(onlyFor === 'text' ? { validateIf } : {}),
      }),
    );
  }
  if (spec.optional === 'IsOptional') apply(IsOptional());
  if (spec.optional === 'ValidateIf') apply(ValidateIf((_object, value) => value !== undefined));
  if (holdsObjects(spec) && spec.checksNested) apply(ValidateNested());
  applyType(target, name, spec.shape, nested ?? Object, other ?? Object);
  if (spec.transform === 'throw') apply(Transform(({ value }: { value: string }) => value.trim()));
  if (spec.transform === 'trim')
    apply(Transform(({ value }) => (typeof value === 'string' ? value.trim() : value)));
  if (spec.transform === 'wrap') apply(Transform(({ value, key }) => (value === undefined ? key : [value])));
  if (spec.exposed === 'as it is') apply(Expose());
  if (spec.exposed === 'by another name') apply(Expose({ name: `${name}_name` }));
  if (spec.exposed === 'in a group') apply(Expose({ groups: ['shown'] }));
  if (spec.excluded) apply(Exclude());
}

export function holdsObjects({ shape }: PropertySpec): boolean {
  return !['untyped', 'date', 'number', 'text', 'boolean', 'buffer'].includes(shape);
}

function applyType(
  target: object,
  name: string,
  shape: PropertySpec['shape'],
  nested: Function,
  other: Function,
) {
  const collections: Record<string, unknown> = {
    list: Array,
    'discriminated list': Array,
    set: Set,
    map: Map,
  };
  Reflect.defineMetadata('design:type', collections[shape] ?? Object, target, name);
  const scalars: Record<string, Function> = {
    date: Date,
    number: Number,
    text: String,
    boolean: Boolean,
    buffer: Buffer,
  };
  const subTypes = [
    { name: 'nested', value: nested },
    { name: 'other', value: other },
  ] as never;
  if (shape === 'untyped') return;
  if (shape.startsWith('discriminated')) {
    const keepDiscriminatorProperty = name === 'p1';
    Type(() => nested, { keepDiscriminatorProperty, discriminator: { property: 'kind', subTypes } })(
      target,
      name,
    );
  } else if (shape === 'chosen by input') {
    Type((...help) => ('p1' in (help[0] as { object: object }).object ? other : nested))(target, name);
  } else {
    Type(() => scalars[shape] ?? nested)(target, name);
  }
}
