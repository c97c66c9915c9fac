import { argumentsFor } from './class-rules.js';
import type { PropertyRules, Rule, RuleBook } from './class-rules.js';

/** One run over one instance. It never stops early, so that it meets every asynchronous rule there is. */
export class ClassCheck {
  /** False as soon as a rule said no; final once `pending` is empty. */
  accepted = true;
  metAsync = false;
  private readonly pending: PromiseLike<unknown>[] = [];
  private readonly book: RuleBook;
  private readonly refuseUnknown: boolean;

  constructor(book: RuleBook, refuseUnknown: boolean) {
    this.book = book;
    this.refuseUnknown = refuseUnknown;
  }

  /** The verdict on an instance of the contract's class; what class-validator's whitelist would strip is stripped. */
  run(instance: object): boolean | Promise<boolean> {
    this.object(instance);
    return this.pending.length === 0 ? this.accepted : this.settle();
  }

  private async settle(): Promise<boolean> {
    while (this.pending.length > 0) await Promise.all(this.pending.splice(0));
    return this.accepted;
  }

  private object(object: object): void {
    const rules = this.book.rulesOf(object.constructor);
    if (rules.size === 0) {
      this.accepted = false;
      return;
    }
    const properties = object as Record<string, unknown>;
    for (const key of Object.keys(object)) {
      if (rules.has(key)) continue;
      if (this.refuseUnknown) this.accepted = false;
      else delete properties[key];
    }
    for (const property of rules.values()) {
      const value = properties[property.name];
      if (property.awaitsPromise && value instanceof Promise) {
        this.later(value.then((resolved: unknown) => this.property(object, resolved, property)));
      } else {
        this.property(object, value, property);
      }
    }
  }

  private property(object: object, value: unknown, property: PropertyRules): void {
    let applies = true;
    for (const condition of property.conditions) {
      if (!condition(object, value)) applies = false;
    }
    if (!applies) return;
    for (const rule of property.rules) this.rule(rule, property.name, object, value);
    if (property.nested) this.nested(value);
  }

  private rule(rule: Rule, property: string, object: object, value: unknown): void {
    if (rule.async) this.metAsync = true;
    if (rule.validateIf && !rule.validateIf(object, value)) return;
    const constraint = rule.constraint();
    const details = argumentsFor(rule, property, object, value);
    const items = rule.each ? itemsOf(value) : undefined;
    if (!items) {
      this.verdict(constraint.validate(value, details));
      return;
    }
    for (const item of items) this.verdict(constraint.validate(item, details));
  }

  private verdict(answer: unknown): void {
    if (isPromiseLike(answer)) this.later(answer.then((valid) => this.verdict(Boolean(valid))));
    else if (!answer) this.accepted = false;
  }

  private nested(value: unknown): void {
    if (value === undefined) return;
    const items = itemsOf(value);
    if (items) {
      for (const item of items) this.nested(item);
    } else if (value instanceof Object) {
      this.object(value);
    } else {
      this.accepted = false;
    }
  }

  private later(promise: PromiseLike<unknown>): void {
    this.metAsync = true;
    // Should another rule throw before this one is awaited, its rejection must not end the process.
    promise.then(undefined, () => undefined);
    this.pending.push(promise);
  }
}

function itemsOf(value: unknown): Iterable<unknown> | undefined {
  if (Array.isArray(value) || value instanceof Set) return value;
  return value instanceof Map ? value.values() : undefined;
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}
