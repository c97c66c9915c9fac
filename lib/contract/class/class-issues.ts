import type { Issue } from '../../protocol/envelope.js';
import { argumentsFor, classOf } from './validation-plan.js';
import type { Rule } from './validation-plan.js';
import { MAX_ISSUES } from '../payload-validator.js';

type MessageSource = Pick<Rule, 'message' | 'constraints'> & { readonly constraint?: Rule['constraint'] };

/** A rule that refused the value of a property. */
export interface BrokenRule {
  readonly source: MessageSource;
  readonly property: string;
  readonly object: object;
  readonly value: unknown;
}

interface Entry {
  readonly kind: string;
  readonly path: string;
  message: string;
}

/** The issues of an instance, with class-validator's messages unless they contain client input. */
export class ClassIssues {
  private readonly entries: Entry[] = [];
  private readonly path: (string | number)[] = [];

  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  /** Enters a property or an item of the current value; `leave` returns. */
  enter(segment: string | number): void {
    this.path.push(segment);
  }

  leave(): void {
    this.path.pop();
  }

  /** The current path, to return to with `at` when a promise settles. */
  place(): readonly (string | number)[] {
    return [...this.path];
  }

  at(place: readonly (string | number)[], action: () => void): void {
    const before = this.path.splice(0, this.path.length, ...place);
    action();
    this.path.splice(0, this.path.length, ...before);
  }

  /** Keeps the last issue per path and kind, as class-validator does. */
  add(kind: string, property: string | undefined, message: string | BrokenRule): void {
    const parent = this.path.length === 0 ? '' : this.path.join('.');
    const path = property === undefined ? parent : parent === '' ? property : `${parent}.${property}`;
    const known = this.entries.find((entry) => entry.kind === kind && entry.path === path);
    if (!known && this.entries.length >= MAX_ISSUES) return;
    const text = typeof message === 'string' ? message : messageFor(message);
    if (known) known.message = text;
    else this.entries.push({ kind, path, message: text });
  }

  toArray(): Issue[] {
    return this.entries.map(({ path, message }) => ({ path, message }));
  }
}

/** The message of a rule if it is the same without the value, and so cannot contain the value. */
function messageFor({ source, property, object, value }: BrokenRule): string {
  const valueFree = valueFreeMessage(source, property, object);
  const hidden = `${property} is not valid`;
  if (valueFree === undefined) return hidden;
  if (typeof source.message === 'string' && source.message !== '') return valueFree.text;
  try {
    const actual = template(source, property, object, value);
    if (actual === valueFree.template) return valueFree.text;
    // A message may change between calls, for example a translation: compare with one created now.
    const now = createValueFreeMessage(source, property, classOf(object));
    return actual === now?.template ? now.text : hidden;
  } catch {
    return hidden;
  }
}

interface ValueFreeMessage {
  readonly template: string;
  readonly text: string;
}

/** By rule and class: rules are inherited, and a message may contain the class name. */
const valueFreeMessages = new WeakMap<MessageSource, Map<unknown, ValueFreeMessage | undefined>>();

/** The message of a rule without the value; `undefined` if the message needs the value or contains `$value`. */
function valueFreeMessage(
  source: MessageSource,
  property: string,
  object: object,
): ValueFreeMessage | undefined {
  let messages = valueFreeMessages.get(source);
  if (!messages) valueFreeMessages.set(source, (messages = new Map()));
  const target = classOf(object);
  if (!messages.has(target)) messages.set(target, createValueFreeMessage(source, property, target));
  return messages.get(target);
}

function createValueFreeMessage(
  source: MessageSource,
  property: string,
  target: { readonly name: string } | undefined,
): ValueFreeMessage | undefined {
  try {
    // An empty object of the same class: a message may contain the class name, but no property of the input.
    const valueFree = template(source, property, { constructor: target }, undefined);
    if (valueFree.includes('$value')) return undefined;
    return { template: valueFree, text: fillIn(valueFree, source.constraints, property, target?.name ?? '') };
  } catch {
    // A message function that needs the value may repeat it.
    return undefined;
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
