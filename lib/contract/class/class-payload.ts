import { ValidationRun } from './validation-run.js';
import { ValidationPlan } from './validation-plan.js';
import { ClassShape } from './class-shape.js';
import type { Class } from './built-in-types.js';
import { kindOf, refusal } from '../payload-validator.js';
import type { PayloadValidator, Validation } from '../payload-validator.js';
import { isPlainObject, MAX_DEPTH, NestedTooDeep, withoutPollutingKeys } from './plain-input.js';
import { UnreadableInput } from './unreadable-input.js';

/** How to treat properties without decorators. */
export type UnknownProperties = 'strip' | 'refuse';

/** Validates like `plainToInstance` and class-validator's `validate` with `whitelist`, from a plan compiled once. */
export class ClassPayload implements PayloadValidator {
  private readonly shape: ClassShape;
  private readonly plan: ValidationPlan;
  private readonly target: Class;
  private readonly refuseUnknown: boolean;

  constructor(target: Class, groups: readonly string[], unknownProperties: UnknownProperties) {
    this.target = target;
    this.shape = ClassShape.of(target);
    this.plan = new ValidationPlan(groups);
    this.refuseUnknown = unknownProperties === 'refuse';
  }

  /** False if the class has no rules for these groups, so that class-validator would refuse every instance. */
  get hasRules(): boolean {
    return this.plan.rulesOf(this.target).size > 0;
  }

  validate(input: unknown): Validation | Promise<Validation> {
    if (!isPlainObject(input)) return refusal('', `expected an object, got ${kindOf(input)}`);
    let value: object;
    try {
      // Polluting keys are omitted while reading, but they count as unknown properties.
      if (this.refuseUnknown && withoutPollutingKeys(input) !== input)
        return refusal('', 'has an unknown property');
      value = this.shape.instantiate(
        input,
        0,
        this.refuseUnknown ? undefined : this.plan.rulesOf(this.target),
      );
    } catch (error) {
      if (error instanceof NestedTooDeep) return refusal('', `is nested deeper than ${MAX_DEPTH} levels`);
      if (error instanceof UnreadableInput) return refusal(error.path.join('.'), error.message);
      throw error;
    }
    const issues = new ValidationRun(this.plan, this.refuseUnknown).run(value);
    if (issues instanceof Promise) return issues.then((found) => (found ? { issues: found } : { value }));
    return issues ? { issues } : { value };
  }
}
