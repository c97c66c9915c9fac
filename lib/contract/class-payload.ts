import { validate, validateSync } from 'class-validator';
import type { ValidationError, ValidatorOptions } from 'class-validator';
import { ClassCheck } from './class-check.js';
import { issuesFrom } from './class-issues.js';
import { RuleBook } from './class-rules.js';
import { ClassShape } from './class-shape.js';
import type { Class } from './class-shape.js';
import { kindOf, refusal } from './payload-validator.js';
import type { PayloadValidator, Validation } from './payload-validator.js';
import { isPlainObject, MAX_DEPTH, NestedTooDeep, withoutReservedKeys } from './plain-input.js';

/** What to do with a property no decorator speaks of. */
export type UnknownProperties = 'strip' | 'refuse';

/**
 * Decides as `plainToInstance` and class-validator's `validate` with `whitelist` would, from a plan compiled once.
 * Only a refusal asks class-validator itself, for the reasons and for the last word.
 */
export class ClassPayload implements PayloadValidator {
  private readonly shape: ClassShape;
  private readonly book: RuleBook;
  private readonly target: Class;
  private readonly refuseUnknown: boolean;
  private readonly options: ValidatorOptions;

  constructor(target: Class, groups: readonly string[], unknownProperties: UnknownProperties) {
    this.target = target;
    this.shape = ClassShape.of(target);
    this.book = new RuleBook(groups);
    this.refuseUnknown = unknownProperties === 'refuse';
    this.options = {
      whitelist: true,
      forbidUnknownValues: true,
      forbidNonWhitelisted: this.refuseUnknown,
      groups: [...groups],
    };
  }

  /** False when class-validator knows no rule of the class for these groups, and so would refuse every instance. */
  get hasRules(): boolean {
    return this.book.rulesOf(this.target).size > 0;
  }

  validate(input: unknown): Validation | Promise<Validation> {
    if (!isPlainObject(input)) return refusal('', `expected an object, got ${kindOf(input)}`);
    try {
      // class-transformer skips such keys unseen, but whoever refuses unknown properties wants to hear of them.
      if (this.refuseUnknown && withoutReservedKeys(input) !== input)
        return refusal('', 'has an unknown property');
      return this.decide(input);
    } catch (error) {
      if (error instanceof NestedTooDeep) return refusal('', `is nested deeper than ${MAX_DEPTH} levels`);
      throw error;
    }
  }

  private decide(input: object): Validation | Promise<Validation> {
    const value = this.instantiate(input);
    const check = new ClassCheck(this.book, this.refuseUnknown);
    const verdict = check.run(value);
    if (verdict === true) return { value };
    if (verdict === false) return this.explain(input, check.metAsync);
    return verdict.then((accepted) => (accepted ? { value } : this.explain(input, true)));
  }

  private instantiate(input: object): object {
    return this.shape.instantiate(input, 0, this.refuseUnknown ? undefined : this.book.rulesOf(this.target));
  }

  // On a fresh instance: the check may have stripped from the first what class-validator wants to name.
  private explain(input: object, async: boolean): Validation | Promise<Validation> {
    const value = this.instantiate(input);
    const conclude = (errors: ValidationError[]): Validation =>
      errors.length === 0 ? { value } : { issues: issuesFrom(errors, this.book) };
    return async ? validate(value, this.options).then(conclude) : conclude(validateSync(value, this.options));
  }
}
