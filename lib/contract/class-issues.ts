import type { Issue } from '../protocol/envelope.js';
import { argumentsFor, classOf } from './class-rules.js';
import type { Rule } from './class-rules.js';
import { MAX_ISSUES } from './payload-validator.js';

type MessageSource = Pick<Rule, 'message' | 'constraints'> & { readonly constraint?: Rule['constraint'] };

/** A rule that refused a value of a property of an object. */
export interface BrokenRule {
  readonly source: MessageSource;
  readonly property: string;
  readonly object: object;
  readonly value: unknown;
}

/** The reasons for a refusal, in class-validator's words, as far as nothing that the client sent can be read in them. */
export class ClassIssues {
  private readonly issues = new Map<string, Issue>();
  private readonly path: (string | number)[] = [];

  get isEmpty(): boolean {
    return this.issues.size === 0;
  }

  /** Goes to a property or an item of the value that is being looked at; `leave` goes back. */
  enter(segment: string | number): void {
    this.path.push(segment);
  }

  leave(): void {
    this.path.pop();
  }

  /** Where the check is now, to return to it with `at` when a promise settles. */
  place(): readonly (string | number)[] {
    return [...this.path];
  }

  at(place: readonly (string | number)[], action: () => void): void {
    const before = this.path.splice(0, this.path.length, ...place);
    action();
    this.path.splice(0, this.path.length, ...before);
  }

  /** One issue per property (or the place itself) and kind, as class-validator has it: the last. */
  add(kind: string, property: string | undefined, message: string | BrokenRule): void {
    const path = (property === undefined ? this.path : [...this.path, property]).join('.');
    const key = `${path}\n${kind}`;
    if (this.issues.size >= MAX_ISSUES && !this.issues.has(key)) return;
    this.issues.set(key, { path, message: typeof message === 'string' ? message : messageFor(message) });
  }

  toArray(): Issue[] {
    return [...this.issues.values()];
  }
}

/** A rule's own message where it comes out the same without the value: then nothing of the value can be in it. */
function messageFor({ source, property, object, value }: BrokenRule): string {
  const hidden = `${property} is not valid`;
  // An empty stand-in of the same class: a message may name the class, but find no property to repeat.
  const blindObject = { constructor: classOf(object) } as object;
  try {
    const blind = template(source, property, blindObject, undefined);
    if (blind.includes('$value')) return hidden;
    if (typeof source.message !== 'string' && template(source, property, object, value) !== blind)
      return hidden;
    return fillIn(blind, source.constraints, property, classOf(object)?.name ?? '');
  } catch {
    // A message function that needs the value is one that may repeat it.
    return hidden;
  }
}

function template(
  { message, constraints, constraint }: MessageSource,
  property: string,
  object: object,
  value: unknown,
): string {
  if (typeof message === 'string' && message !== '') return message;
  const details = argumentsFor({ constraints }, property, object, value);
  if (typeof message === 'function') return message(details);
  return constraint?.().defaultMessage?.(details) ?? '';
}

function fillIn(text: string, constraints: readonly unknown[], property: string, targetName: string): string {
  return (constraints ?? [])
    .reduce<string>((line, constraint, index) => {
      return line.replaceAll(`$constraint${index + 1}`, () => constraintText(constraint));
    }, text)
    .replaceAll('$property', () => property)
    .replaceAll('$target', () => targetName);
}

function constraintText(constraint: unknown): string {
  if (Array.isArray(constraint)) return constraint.join(', ');
  return typeof constraint === 'symbol' ? String(constraint.description) : String(constraint);
}
