import type { Issue } from '../../protocol/envelope.js';
import { argumentsFor, classOf } from './validation-plan.js';
import type { Rule } from './validation-plan.js';
import { MAX_ISSUES } from '../payload-validator.js';

type MessageSource = Pick<Rule, 'message' | 'constraints'> & { readonly constraint?: Rule['constraint'] };

/** A rule that refused a value of a property of an object. */
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

/** The reasons for a refusal, in class-validator's words, as far as nothing that the client sent can be read in them. */
export class ClassIssues {
  private readonly entries: Entry[] = [];
  private readonly path: (string | number)[] = [];

  get isEmpty(): boolean {
    return this.entries.length === 0;
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

/** A rule's own message where it comes out the same without the value: then nothing of the value can be in it. */
function messageFor({ source, property, object, value }: BrokenRule): string {
  const blind = blindMessage(source, property, object);
  const hidden = `${property} is not valid`;
  if (blind === undefined) return hidden;
  if (typeof source.message === 'string' && source.message !== '') return blind.text;
  try {
    const said = template(source, property, object, value);
    if (said === blind.template) return blind.text;
    // A message may depend on when it is asked, a translated one say: compare it with one of the same time.
    const now = makeBlindMessage(source, property, classOf(object));
    return said === now?.template ? now.text : hidden;
  } catch {
    return hidden;
  }
}

interface BlindMessage {
  readonly template: string;
  readonly text: string;
}

/** Rules belong to one property, but are inherited, and a message may name the class. */
const blindMessages = new WeakMap<MessageSource, Map<unknown, BlindMessage | undefined>>();

/** What a rule says when it sees no value; `undefined` when it cannot do without, or asks for it with `$value`. */
function blindMessage(source: MessageSource, property: string, object: object): BlindMessage | undefined {
  let messages = blindMessages.get(source);
  if (!messages) blindMessages.set(source, (messages = new Map()));
  const target = classOf(object);
  if (!messages.has(target)) messages.set(target, makeBlindMessage(source, property, target));
  return messages.get(target);
}

function makeBlindMessage(
  source: MessageSource,
  property: string,
  target: { readonly name: string } | undefined,
): BlindMessage | undefined {
  try {
    // An empty stand-in of the same class: a message may name the class, but find no property to repeat.
    const blind = template(source, property, { constructor: target }, undefined);
    if (blind.includes('$value')) return undefined;
    return { template: blind, text: fillIn(blind, source.constraints, property, target?.name ?? '') };
  } catch {
    // A message function that needs the value is one that may repeat it.
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
