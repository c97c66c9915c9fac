import { getMetadataStorage } from 'class-validator';
import type { ValidationArguments, ValidatorConstraintInterface } from 'class-validator';

type Metadata = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];
type Constraint = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidatorConstraints']>[number];

/** One constraint of one property, ready to run. */
export interface Rule {
  readonly name: string;
  readonly each: boolean;
  readonly message: Metadata['message'];
  readonly constraints: unknown[];
  readonly validateIf: ((object: unknown, value: unknown) => boolean) | undefined;
  constraint(): ValidatorConstraintInterface;
}

/** The rules of one property of one class, in the order in which class-validator runs them. */
export interface PropertyRules {
  readonly name: string;
  readonly conditions: readonly ((object: unknown, value: unknown) => unknown)[];
  readonly rules: readonly Rule[];
  readonly nested: Metadata | undefined;
  readonly awaitsPromise: boolean;
}

/** The rules of one class for one set of groups; empty if class-validator would report an unknown value. */
export type ClassRules = ReadonlyMap<string, PropertyRules>;

const NO_RULES: ClassRules = new Map();

/** Compiles the decorators of each class and its ancestors, once per class. */
export class ValidationPlan {
  readonly groups: readonly string[];
  private readonly classes = new Map<object, ClassRules>();

  constructor(groups: readonly string[]) {
    this.groups = groups;
  }

  rulesOf(target: unknown): ClassRules {
    if (typeof target !== 'function') return NO_RULES;
    let rules = this.classes.get(target);
    if (!rules) this.classes.set(target, (rules = compile(target, this.groups)));
    return rules;
  }
}

function compile(target: Function, groups: readonly string[]): ClassRules {
  const storage = getMetadataStorage();
  const byProperty = new Map<string, Metadata[]>();
  for (const metadata of storage.getTargetValidationMetadatas(target, '', false, false, [...groups])) {
    const known = byProperty.get(metadata.propertyName);
    if (known) known.push(metadata);
    else byProperty.set(metadata.propertyName, [metadata]);
  }
  return new Map([...byProperty].map(([name, metadatas]) => [name, propertyRules(name, metadatas)]));
}

function propertyRules(name: string, metadatas: readonly Metadata[]): PropertyRules {
  const ofType = (type: string) => metadatas.filter((metadata) => metadata.type === type);
  return {
    name,
    conditions: ofType('conditionalValidation').map((metadata) => metadata.constraints[0] as () => unknown),
    rules: [...ofType('isDefined'), ...ofType('customValidation')].flatMap(rulesFrom),
    nested: ofType('nestedValidation')[0],
    awaitsPromise: ofType('promiseValidation').length > 0,
  };
}

function rulesFrom(metadata: Metadata): Rule[] {
  return getMetadataStorage()
    .getTargetValidatorConstraints(metadata.constraintCls)
    .map((constraint) => ({
      name: constraint.name || metadata.type,
      each: metadata.each,
      message: metadata.message,
      constraints: metadata.constraints,
      validateIf: metadata.validateIf,
      constraint: instanceSource(constraint),
    }));
}

/**
 * class-validator wraps the function of a decorator in an anonymous `CustomConstraint`, which is never a provider. Any
 * other constraint class may be one, so it is resolved through `useContainer` for each validation.
 */
function instanceSource(constraint: Constraint): () => ValidatorConstraintInterface {
  if (constraint.target.name !== 'CustomConstraint') return () => constraint.instance;
  let instance: ValidatorConstraintInterface | undefined;
  return () => (instance ??= constraint.instance);
}

/** The class of an instance, ignoring an own property `constructor`. */
export function classOf(object: object): { readonly name: string } | undefined {
  return (Object.getPrototypeOf(object) as { constructor?: { name: string } } | null)?.constructor;
}

/** The arguments that class-validator passes to constraints and message functions. */
export function argumentsFor(
  rule: Pick<Rule, 'constraints'>,
  property: string,
  object: object,
  value: unknown,
  targetName = object.constructor.name,
): ValidationArguments {
  return { targetName, property, object, value, constraints: rule.constraints };
}
