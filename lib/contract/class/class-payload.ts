import { ValidationRun } from './validation-run.js';
import { ValidationPlan } from './validation-plan.js';
import { ClassShape } from './class-shape.js';
import type { Class } from './class-shape.js';
import { kindOf, refusal } from '../payload-validator.js';
import type { PayloadValidator, Validation } from '../payload-validator.js';
import { isPlainObject, MAX_DEPTH, NestedTooDeep, withoutPollutingKeys } from './plain-input.js';
import { UnreadableInput } from './unreadable-input.js';

/** What to do with a property no decorator speaks of. */
export type UnknownProperties = 'strip' | 'refuse';

/** Decides as `plainToInstance` and class-validator's `validate` with `whitelist` would, from a plan compiled once. */
export class ClassPayload implements PayloadValidator {
  private readonly shape: ClassShape;
  private readonly book: ValidationPlan;
  private readonly target: Class;
  private readonly refuseUnknown: boolean;

  constructor(target: Class, groups: readonly string[], unknownProperties: UnknownProperties) {
    this.target = target;
    this.shape = ClassShape.of(target);
    this.book = new ValidationPlan(groups);
    this.refuseUnknown = unknownProperties === 'refuse';
  }

  /** False when class-validator knows no rule of the class for these groups, and so would refuse every instance. */
  get hasRules(): boolean {
    return this.book.rulesOf(this.target).size > 0;
  }

  validate(input: unknown): Validation | Promise<Validation> {
    if (!isPlainObject(input)) return refusal('', `expected an object, got ${kindOf(input)}`);
    let value: object;
    try {
      // Such keys are left out unseen, but they are unknown properties too.
      if (this.refuseUnknown && withoutPollutingKeys(input) !== input)
        return refusal('', 'has an unknown property');
      value = this.shape.instantiate(
        input,
        0,
        this.refuseUnknown ? undefined : this.book.rulesOf(this.target),
      );
    } catch (error) {
      if (error instanceof NestedTooDeep) return refusal('', `is nested deeper than ${MAX_DEPTH} levels`);
      if (error instanceof UnreadableInput) return refusal(error.path.join('.'), error.message);
      throw error;
    }
    const issues = new ValidationRun(this.book, this.refuseUnknown).run(value);
    if (issues instanceof Promise) return issues.then((found) => (found ? { issues: found } : { value }));
    return issues ? { issues } : { value };
  }
}
