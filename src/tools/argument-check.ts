import type { ErrorObject } from 'ajv';
import type { JsonObject, JsonValue } from '../common/index';
import { compileSchema } from './schema-compiler';
import { isCheap, schemaCost } from './schema-cost';

const MAX_PROBLEMS = 5;
const MAX_LISTED_LENGTH = 500;
/** A long list may have one in each item; nobody reads them all. */
const MAX_ERRORS = 200;

/** What is wrong with a model's arguments, in sentences the model can act on; empty when nothing is. */
export type ArgumentCheck = (args: JsonObject) => readonly string[];

/** @throws Error saying what is wrong with the schema */
export function argumentCheck(schema: JsonObject): ArgumentCheck {
  const check = compileSchema(schema);
  return (args) => {
    const errors = check(args).slice(0, MAX_ERRORS);
    const sentences = withoutBranches(errors).map((error) => sentence(error, errors, { schema, args }));
    return [...new Set(sentences)].slice(0, MAX_PROBLEMS);
  };
}

/**
 * For a schema that any user's server may have written: what would take long to check is left to the tool.
 * @throws Error saying what is wrong with the schema
 */
export function boundedArgumentCheck(schema: JsonObject): ArgumentCheck {
  const cost = schemaCost(schema);
  if (!cost) return () => [];
  const check = argumentCheck(schema);
  return (args) => (isCheap(cost, args) ? check(args) : []);
}

/** What ajv says of the keywords that have a sentence of their own. */
interface ErrorParams {
  readonly missingProperty: string;
  readonly type: string | readonly string[];
  readonly allowedValues: readonly JsonValue[];
  readonly allowedValue: JsonValue;
  readonly additionalProperty?: string;
  readonly unevaluatedProperty?: string;
}

interface Checked {
  readonly schema: JsonObject;
  readonly args: JsonObject;
}

function sentence(error: ErrorObject, errors: readonly ErrorObject[], checked: Checked): string {
  const place = placeOf(error, checked);
  const params = error.params as ErrorParams;
  switch (error.keyword) {
    case 'required':
    case 'dependentRequired':
    case 'dependencies':
      return `${place}.${params.missingProperty} is required`;
    case 'type':
      return `${place} must be of type ${[params.type].flat().join(' or ')}`;
    case 'enum':
      return `${place} must be one of ${listed(params.allowedValues)}`;
    case 'const':
      return `${place} must be one of ${listed([params.allowedValue])}`;
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return `${place}.${params.additionalProperty ?? params.unevaluatedProperty} is not known${known(error, checked)}`;
    case 'anyOf':
    case 'oneOf':
      return `${place} fits none of what is allowed: ${forms(error, errors)}`;
    default:
      return `${place} ${error.message ?? 'is not valid'}`;
  }
}

/** What one of several forms misses is no problem of its own: it is told with the choice. */
function withoutBranches(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const choices = errors.filter(isFailedChoice);
  return errors.filter((error) => !choices.some((choice) => error !== choice && isBelow(error, choice)));
}

function isFailedChoice({ keyword, params }: ErrorObject): boolean {
  return keyword === 'anyOf' || (keyword === 'oneOf' && params.passingSchemas === null);
}

function isBelow(error: ErrorObject, choice: ErrorObject): boolean {
  return error.schemaPath.startsWith(`${choice.schemaPath}/`);
}

function forms(choice: ErrorObject, errors: readonly ErrorObject[]): string {
  if (!isFailedChoice(choice)) return 'it fits more than one form, and must fit exactly one';
  const branches = errors.filter((error) => isBelow(error, choice)).map(({ message = '' }) => message);
  return [...new Set(branches)].join(', or ').slice(0, MAX_LISTED_LENGTH);
}

/** `arguments.tags[1]` for `/tags/1`. */
function placeOf({ instancePath }: ErrorObject, { args }: Checked): string {
  let place = 'arguments';
  let value: unknown = args;
  for (const part of instancePath.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    place += Array.isArray(value) ? `[${key}]` : `.${key}`;
    value = (value as Record<string, unknown> | undefined)?.[key];
  }
  return place;
}

/** The names beside an unknown one, where they stand in the schema itself. */
function known({ schemaPath }: ErrorObject, { schema }: Checked): string {
  const parts = schemaPath.split('/').slice(1, -1).map(decodeURIComponent);
  const place = parts.reduce<unknown>((inner, part) => (inner as JsonObject | undefined)?.[part], schema);
  const names = Object.keys((place as JsonObject | undefined)?.properties ?? {});
  return names.length > 0 ? `; known: ${names.join(', ').slice(0, MAX_LISTED_LENGTH)}` : '';
}

function listed(values: readonly JsonValue[]): string {
  const text = JSON.stringify(values);
  return text.length > MAX_LISTED_LENGTH ? `${text.slice(0, MAX_LISTED_LENGTH)}…` : text;
}
