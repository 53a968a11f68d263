import { isDeepStrictEqual } from 'node:util';
import { isJsonObject, type JsonObject, type JsonValue } from '../common/index';

const MAX_PROBLEMS = 5;

/**
 * What is wrong with a model's arguments, in sentences the model can act on; empty when nothing is. Checks type,
 * required, enum, const, properties, items and additionalProperties: false; other keywords are the tool's own business.
 */
export function argumentProblems(args: JsonValue, schema: JsonObject): readonly string[] {
  const problems: string[] = [];
  check(args, schema, 'arguments', problems);
  return problems.slice(0, MAX_PROBLEMS);
}

function check(value: JsonValue, schema: JsonObject, path: string, problems: string[]): void {
  if (problems.length >= MAX_PROBLEMS) return;
  if (!hasType(value, schema.type)) {
    problems.push(`${path} must be of type ${typeNames(schema.type).join(' or ')}`);
    return;
  }
  const allowed = allowedValues(schema);
  if (allowed && !allowed.some((other) => isDeepStrictEqual(other, value))) {
    problems.push(`${path} must be one of ${JSON.stringify(allowed)}`);
  }
  if (isJsonObject(value)) checkProperties(value, schema, path, problems);
  if (Array.isArray(value)) checkItems(value, schema, path, problems);
}

function checkProperties(value: JsonObject, schema: JsonObject, path: string, problems: string[]): void {
  const properties = isJsonObject(schema.properties) ? schema.properties : {};
  const required = Array.isArray(schema.required) ? (schema.required as readonly string[]) : [];
  for (const name of required) {
    if (!Object.hasOwn(value, name)) problems.push(`${path}.${name} is required`);
  }
  for (const [name, item] of Object.entries(value)) {
    const inner = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (isJsonObject(inner) && item !== undefined) check(item, inner, `${path}.${name}`, problems);
    else if (inner === undefined && schema.additionalProperties === false) {
      problems.push(`${path}.${name} is not known; known: ${Object.keys(properties).join(', ')}`);
    }
  }
}

function checkItems(value: readonly JsonValue[], schema: JsonObject, path: string, problems: string[]): void {
  const { items } = schema;
  if (!isJsonObject(items)) return;
  value.forEach((item, index) => check(item, items, `${path}[${index}]`, problems));
}

function allowedValues(schema: JsonObject): readonly JsonValue[] | undefined {
  if (Array.isArray(schema.enum)) return schema.enum as readonly JsonValue[];
  return schema.const === undefined ? undefined : [schema.const];
}

function typeNames(type: JsonValue | undefined): readonly string[] {
  if (typeof type === 'string') return [type];
  return Array.isArray(type) ? (type as readonly string[]) : [];
}

function hasType(value: JsonValue, type: JsonValue | undefined): boolean {
  const names = typeNames(type);
  if (names.length === 0) return true;
  return names.some((name) => name === typeOf(value) || (name === 'integer' && Number.isInteger(value)));
}

function typeOf(value: JsonValue): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
