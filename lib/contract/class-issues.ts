import type { ValidationError } from 'class-validator';
import type { Issue } from '../protocol/envelope.js';
import { argumentsFor } from './class-rules.js';
import type { PropertyRules, Rule, RuleBook } from './class-rules.js';
import { MAX_ISSUES } from './payload-validator.js';

type MessageSource = Pick<Rule, 'message' | 'constraints'> & { readonly constraint?: Rule['constraint'] };

/** Flattens class-validator's errors to issues in which nothing the client sent can be read. */
export function issuesFrom(errors: readonly ValidationError[], book: RuleBook): Issue[] {
  const issues = new Map<string, Issue>();
  const add = (path: string, message: string) => issues.set(`${path}\n${message}`, { path, message });

  const visit = (
    error: ValidationError,
    parentPath: string,
    parent: unknown,
    outer?: PropertyRules,
  ): void => {
    if (issues.size >= MAX_ISSUES) return;
    const target = error.target ?? {};
    const inCollection = Array.isArray(target) || target instanceof Set || target instanceof Map;
    const own = inCollection ? outer : book.rulesOf(target.constructor).get(error.property);
    const path = join(parentPath, parent instanceof Map ? '*' : error.property);
    for (const [name, message] of Object.entries(error.constraints ?? {})) {
      if (name === 'whitelistValidation') add(parentPath, 'has an unknown property');
      else if (name === 'unknownValue') add(parentPath, 'is not an object of a type with rules');
      else
        add(
          path,
          own && isOurs(message, name, own, target) ? message : `${own?.name ?? 'value'} is not valid`,
        );
    }
    for (const child of error.children ?? []) visit(child, path, error.value, own);
  };

  for (const error of errors) visit(error, '', undefined);
  return [...issues.values()].slice(0, MAX_ISSUES);
}

// class-validator leaves `property` out where a whole object is meant; a key of a Map is the client's text.
function join(parent: string, property: string | undefined): string {
  if (property === undefined) return parent;
  return parent === '' ? property : `${parent}.${property}`;
}

/** True when the message comes out the same without the value: then nothing of the value can be in it. */
function isOurs(message: string, name: string, property: PropertyRules, target: object): boolean {
  const sources: MessageSource[] = property.rules.filter((rule) => rule.name === name);
  if (name === 'nestedValidation' && property.nested) sources.push(property.nested);
  return sources.some((source) => messageWithoutValue(source, property.name, target) === message);
}

function messageWithoutValue(source: MessageSource, property: string, target: object): string | undefined {
  // An empty stand-in of the same class: a message may name the class, but find no property to repeat.
  const blind = argumentsFor(source, property, { constructor: target.constructor }, undefined);
  try {
    const template = source.message || source.constraint?.().defaultMessage?.(blind) || '';
    const text = typeof template === 'function' ? template(blind) : template;
    if (text.includes('$value')) return undefined;
    return (source.constraints ?? [])
      .reduce<string>((line, constraint, index) => {
        return line.replace(new RegExp(`\\$constraint${index + 1}`, 'g'), constraintText(constraint));
      }, text)
      .replace(/\$property/g, property)
      .replace(/\$target/g, blind.targetName);
  } catch {
    // A message function that needs the value is one that may repeat it.
    return undefined;
  }
}

function constraintText(constraint: unknown): string {
  if (Array.isArray(constraint)) return constraint.join(', ');
  return typeof constraint === 'symbol' ? String(constraint.description) : String(constraint);
}
