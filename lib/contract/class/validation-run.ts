import { ClassIssues } from './class-issues.js';
import { argumentsFor, classOf } from './validation-plan.js';
import type { PropertyRules, Rule, ValidationPlan } from './validation-plan.js';
import type { Issue } from '../../protocol/envelope.js';
import { isCausedByInput } from './unreadable-input.js';

/** One run over one instance. It never stops early, so that it meets every asynchronous rule there is. */
export class ValidationRun {
  private readonly issues = new ClassIssues();
  private readonly pending: PromiseLike<unknown>[] = [];
  private readonly book: ValidationPlan;
  private readonly refuseUnknown: boolean;
  private namedClass: Function | undefined;
  private className = '';

  constructor(book: ValidationPlan, refuseUnknown: boolean) {
    this.book = book;
    this.refuseUnknown = refuseUnknown;
  }

  /** Why an instance is refused, or `undefined`; what class-validator's whitelist would strip is stripped. */
  run(instance: object): Issue[] | undefined | Promise<Issue[] | undefined> {
    this.object(instance);
    return this.pending.length === 0 ? this.outcome() : this.settle();
  }

  private outcome(): Issue[] | undefined {
    return this.issues.isEmpty ? undefined : this.issues.toArray();
  }

  private async settle(): Promise<Issue[] | undefined> {
    while (this.pending.length > 0) await Promise.all(this.pending.splice(0));
    return this.outcome();
  }

  private object(object: object): void {
    const rules = this.book.rulesOf(classOf(object));
    if (rules.size === 0) {
      this.issues.add('unknownValue', undefined, 'is not an object of a type with rules');
      return;
    }
    const properties = object as Record<string, unknown>;
    for (const key of Object.keys(object)) {
      if (rules.has(key)) continue;
      if (this.refuseUnknown) this.issues.add('whitelistValidation', undefined, 'has an unknown property');
      else delete properties[key];
    }
    for (const property of rules.values()) {
      const value = properties[property.name];
      if (property.awaitsPromise && value instanceof Promise) {
        const place = this.issues.place();
        const check = (resolved: unknown) =>
          this.issues.at(place, () => this.property(object, resolved, property));
        this.later(value.then(check));
      } else {
        this.property(object, value, property);
      }
    }
  }

  private property(object: object, value: unknown, property: PropertyRules): void {
    try {
      let applies = true;
      for (const condition of property.conditions) {
        if (!condition(object, value)) applies = false;
      }
      if (!applies) return;
      for (const rule of property.rules) this.rule(rule, property.name, object, value);
    } catch (error) {
      // Code that expects another type than the client sent says no by throwing.
      if (!isCausedByInput(error)) throw error;
      this.issues.add(property.name, property.name, `${property.name} is not valid`);
    }
    if (!property.nested) return;
    this.issues.enter(property.name);
    this.nested(object, value, property);
    this.issues.leave();
  }

  private rule(rule: Rule, property: string, object: object, value: unknown): void {
    if (rule.validateIf && !rule.validateIf(object, value)) return;
    const constraint = rule.constraint();
    const details = argumentsFor(rule, property, object, value, this.nameOf(object.constructor));
    const items = rule.each ? itemsOf(value) : undefined;
    if (!items) {
      this.verdict(constraint.validate(value, details), rule, property, object, value);
      return;
    }
    for (const item of items) this.verdict(constraint.validate(item, details), rule, property, object, value);
  }

  // Reading `name` of a class is slow, and most rules of a run are those of one class.
  private nameOf(constructor: Function): string {
    if (constructor !== this.namedClass) {
      this.className = constructor.name;
      this.namedClass = constructor;
    }
    return this.className;
  }

  private verdict(answer: unknown, rule: Rule, property: string, object: object, value: unknown): void {
    if (isPromiseLike(answer)) {
      const place = this.issues.place();
      const check = (valid: unknown) =>
        this.issues.at(place, () => this.verdict(Boolean(valid), rule, property, object, value));
      this.later(answer.then(check));
    } else if (!answer) {
      this.issues.add(rule.name, property, { source: rule, property, object, value });
    }
  }

  private nested(object: object, value: unknown, property: PropertyRules): void {
    if (value === undefined) return;
    const items = itemsOf(value);
    if (items) {
      let index = 0;
      for (const item of items) {
        // The key of a map is the client's text.
        this.issues.enter(value instanceof Map ? '*' : index++);
        this.nested(object, item, property);
        this.issues.leave();
      }
    } else if (value instanceof Object) {
      this.object(value);
    } else {
      this.issues.add('nestedValidation', undefined, {
        source: property.nested!,
        property: property.name,
        object,
        value,
      });
    }
  }

  private later(promise: PromiseLike<unknown>): void {
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
