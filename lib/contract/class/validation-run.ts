import { ClassIssues } from './class-issues.js';
import { argumentsFor, classOf } from './validation-plan.js';
import type { PropertyRules, Rule, ValidationPlan } from './validation-plan.js';
import type { Issue } from '../../protocol/envelope.js';
import { isCausedByInput } from './unreadable-input.js';

/** Validates one instance. It never stops early, so that every asynchronous rule runs. */
export class ValidationRun {
  private readonly issues = new ClassIssues();
  private readonly pending: PromiseLike<unknown>[] = [];
  private readonly plan: ValidationPlan;
  private readonly refuseUnknown: boolean;
  private namedClass: Function | undefined;
  private className = '';

  constructor(plan: ValidationPlan, refuseUnknown: boolean) {
    this.plan = plan;
    this.refuseUnknown = refuseUnknown;
  }

  /** The issues of an instance, or `undefined`. Strips the properties that class-validator's `whitelist` strips. */
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
    const rules = this.plan.rulesOf(classOf(object));
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
        this.addPending(value.then(check));
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
      // A rule that throws because the client sent another type refuses the value.
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
      this.record(constraint.validate(value, details), rule, property, object, value);
      return;
    }
    for (const item of items) this.record(constraint.validate(item, details), rule, property, object, value);
  }

  // Cached, since reading `name` of a class is slow and most rules of a run belong to one class.
  private nameOf(constructor: Function): string {
    if (constructor !== this.namedClass) {
      this.className = constructor.name;
      this.namedClass = constructor;
    }
    return this.className;
  }

  private record(result: unknown, rule: Rule, property: string, object: object, value: unknown): void {
    if (isPromise(result)) {
      const place = this.issues.place();
      const check = (valid: unknown) =>
        this.issues.at(place, () => this.record(Boolean(valid), rule, property, object, value));
      this.addPending(result.then(check));
    } else if (!result) {
      this.issues.add(rule.name, property, { source: rule, property, object, value });
    }
  }

  private nested(object: object, value: unknown, property: PropertyRules): void {
    if (value === undefined) return;
    const items = itemsOf(value);
    if (items) {
      let index = 0;
      for (const item of items) {
        // The key of a map is client text.
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

  private addPending(promise: PromiseLike<unknown>): void {
    // If another rule throws before this one is awaited, its rejection must not be unhandled.
    promise.then(undefined, () => undefined);
    this.pending.push(promise);
  }
}

function itemsOf(value: unknown): Iterable<unknown> | undefined {
  if (Array.isArray(value) || value instanceof Set) return value;
  return value instanceof Map ? value.values() : undefined;
}

/** As in class-validator, for which a function with `then` is not a promise. */
function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}
