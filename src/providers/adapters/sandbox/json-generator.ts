import { isJsonObject, type JsonObject, type JsonValue } from '../../../common/index';
import type { SeededRandom } from './seeded-random';
import { numberFor, stringFor } from './json-scalars';

export interface GeneratorOptions {
  readonly random: SeededRandom;
  /** Tool arguments hold what is required only: an optional one that is made up does harm. */
  readonly requiredOnly: boolean;
}

/** From this depth on everything optional is left out, so that recursive schemas come to an end. */
const DEEP = 5;
const TOO_DEEP = 40;
const MAX_ITEMS = 1000;
/** Bounds the work that a hostile schema can cause. */
const MAX_VALUES = 10_000;

/**
 * Makes a value that is valid against a JSON schema: type, enum, const, properties, required, items, prefixItems,
 * minItems, anyOf, oneOf, allOf, $ref into the same schema, formats, lengths and ranges. `pattern` is not followed.
 */
export class JsonGenerator {
  readonly #root: JsonObject;
  readonly #options: GeneratorOptions;
  #values = 0;

  constructor(root: JsonObject, options: GeneratorOptions) {
    this.#root = root;
    this.#options = options;
  }

  generate(): JsonValue {
    return this.#value(this.#root, 'value', 0);
  }

  #value(schema: JsonValue | undefined, name: string, depth: number): JsonValue {
    this.#values += 1;
    if (!isJsonObject(schema) || depth > TOO_DEEP || this.#values > MAX_VALUES) return name;
    const resolved = this.#resolved(schema);
    if (resolved.const !== undefined) return resolved.const;
    if (Array.isArray(resolved.enum) && resolved.enum.length > 0) {
      return this.#options.random.pick(resolved.enum as readonly JsonValue[]);
    }
    const choices = resolved.anyOf ?? resolved.oneOf;
    if (Array.isArray(choices) && choices.length > 0) {
      const { anyOf: _any, oneOf: _one, ...shared } = resolved;
      const chosen = this.#choice(choices as readonly JsonValue[], depth);
      return this.#value(merged([shared, chosen]), name, depth + 1);
    }
    return this.#typed(resolved, name, depth);
  }

  #typed(schema: JsonObject, name: string, depth: number): JsonValue {
    switch (typeOf(schema)) {
      case 'object':
        return this.#object(schema, depth);
      case 'array':
        return this.#array(schema, name, depth);
      case 'integer':
        return numberFor(schema, this.#options.random, 1);
      case 'number':
        return numberFor(schema, this.#options.random, 0.5);
      case 'boolean':
        return this.#options.random.below(2) === 0;
      case 'null':
        return null;
      default:
        return stringFor(schema, this.#options.random, name);
    }
  }

  #object(schema: JsonObject, depth: number): JsonObject {
    const properties = isJsonObject(schema.properties) ? schema.properties : {};
    const required = Array.isArray(schema.required) ? (schema.required as readonly string[]) : [];
    const isSparse = this.#options.requiredOnly || depth >= DEEP;
    const names = isSparse ? required : [...new Set([...Object.keys(properties), ...required])];
    return Object.fromEntries(
      names.map((name) => [name, this.#value(properties[name] ?? {}, name, depth + 1)]),
    );
  }

  #array(schema: JsonObject, name: string, depth: number): JsonValue[] {
    const prefix = Array.isArray(schema.prefixItems) ? (schema.prefixItems as readonly JsonValue[]) : [];
    const least = sizeOf(schema.minItems) ?? 0;
    const most = sizeOf(schema.maxItems) ?? MAX_ITEMS;
    const usual = depth >= DEEP || schema.items === false ? 0 : 2;
    const length = Math.min(most, MAX_ITEMS, Math.max(least, prefix.length, usual));
    const item = (index: number): JsonValue =>
      this.#value(prefix[index] ?? schema.items ?? {}, `${name} ${index + 1}`, depth + 1);
    if (schema.uniqueItems !== true) return Array.from({ length }, (_, index) => item(index));
    const unique = new Map<string, JsonValue>();
    for (let index = 0; unique.size < length && index < length + MAX_ITEMS; index += 1) {
      const value = item(index);
      unique.set(JSON.stringify(value), value);
    }
    return [...unique.values()];
  }

  /** Deep down the simplest choice: null, then whatever refers to nothing. */
  #choice(choices: readonly JsonValue[], depth: number): JsonValue {
    const first = choices[0] ?? {};
    if (depth < DEEP) return first;
    const simple = choices.find((choice) => isJsonObject(choice) && choice.type === 'null');
    return simple ?? choices.find((choice) => isJsonObject(choice) && choice.$ref === undefined) ?? first;
  }

  /** Follows `$ref` and merges `allOf`; a circle of those has no meaning and ends in nothing. */
  #resolved(schema: JsonObject, depth = 0): JsonObject {
    this.#values += 1;
    if (depth > TOO_DEEP || this.#values > MAX_VALUES) return {};
    if (typeof schema.$ref === 'string') {
      const { $ref, ...rest } = schema;
      return this.#resolved(merged([this.#pointed($ref), rest]), depth + 1);
    }
    if (!Array.isArray(schema.allOf)) return schema;
    const { allOf, ...rest } = schema;
    const parts = (allOf as readonly JsonValue[]).map((part) =>
      isJsonObject(part) ? this.#resolved(part, depth + 1) : {},
    );
    return merged([...parts, rest]);
  }

  #pointed(ref: string): JsonValue {
    const steps = ref.replace(/^#\/?/, '').split('/').filter(Boolean);
    let current: JsonValue | undefined = this.#root;
    for (const step of steps) {
      const name = unescaped(step);
      current = isJsonObject(current) ? current[name] : undefined;
    }
    return current ?? {};
  }
}

/** One step of a JSON pointer in a URL fragment. */
function unescaped(step: string): string {
  const plain = step.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
  return plain.replaceAll('~1', '/').replaceAll('~0', '~');
}

function merged(schemas: readonly JsonValue[]): JsonObject {
  return schemas.filter(isJsonObject).reduce<JsonObject>(
    (all, schema) => ({
      ...all,
      ...schema,
      ...(all.properties && schema.properties && { properties: merged([all.properties, schema.properties]) }),
      ...(Array.isArray(all.required) &&
        Array.isArray(schema.required) && { required: [...all.required, ...schema.required] as JsonValue[] }),
    }),
    {},
  );
}

function typeOf(schema: JsonObject): string {
  const { type } = schema;
  if (Array.isArray(type)) return (type as readonly string[]).find((name) => name !== 'null') ?? 'null';
  if (typeof type === 'string') return type;
  if (schema.properties !== undefined || schema.required !== undefined) return 'object';
  return schema.items === undefined && schema.prefixItems === undefined ? 'string' : 'array';
}

function sizeOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && value >= 0 ? Math.floor(value) : undefined;
}
