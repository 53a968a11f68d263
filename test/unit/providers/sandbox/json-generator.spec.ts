import { z } from 'zod';
import type { JsonObject, JsonValue } from '../../../../src/common/index';
import { JsonGenerator } from '../../../../src/providers/adapters/sandbox/json-generator';
import { SeededRandom } from '../../../../src/providers/adapters/sandbox/seeded-random';

function generate(schema: JsonObject, seed = 'seed', requiredOnly = false): JsonValue {
  return new JsonGenerator(schema, { random: new SeededRandom(seed), requiredOnly }).generate();
}

const object = (properties: JsonObject, extra: JsonObject = {}): JsonObject => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...extra,
});

const SCHEMAS: Readonly<Record<string, JsonObject>> = {
  scalars: object({
    text: { type: 'string' },
    count: { type: 'integer' },
    ratio: { type: 'number' },
    isOpen: { type: 'boolean' },
    nothing: { type: 'null' },
  }),
  'enum and const': object({ size: { enum: ['S', 'M', 'L'] }, kind: { const: 'shirt' } }),
  ranges: object({
    a: { type: 'integer', minimum: 5, maximum: 6 },
    b: { type: 'integer', exclusiveMinimum: 5, exclusiveMaximum: 7 },
    c: { type: 'number', minimum: 0.1, maximum: 0.2 },
    d: { type: 'integer', multipleOf: 7, minimum: 8 },
    e: { type: 'integer', maximum: -10 },
    f: { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 0.5 },
  }),
  lengths: object({
    code: { type: 'string', maxLength: 3 },
    note: { type: 'string', minLength: 120 },
    exact: { type: 'string', minLength: 4, maxLength: 4 },
  }),
  formats: object(
    Object.fromEntries(
      ['date-time', 'date', 'email', 'uri', 'uuid', 'ipv4', 'ipv6'].map((format) => [
        format,
        { type: 'string', format },
      ]),
    ),
  ),
  arrays: object({
    tags: { type: 'array', items: { type: 'string' }, minItems: 4, maxItems: 4 },
    none: { type: 'array', items: { type: 'string' }, maxItems: 0 },
    unique: { type: 'array', items: { enum: ['a', 'b', 'c'] }, minItems: 3, uniqueItems: true },
    deep: { type: 'array', items: object({ points: { type: 'array', items: { type: 'number' } } }) },
  }),
  unions: object({
    maybe: { type: ['string', 'null'] },
    either: { anyOf: [object({ a: { type: 'integer' } }), { type: 'string' }] },
    one: { oneOf: [{ type: 'boolean' }, { type: 'integer' }] },
  }),
  references: object(
    { home: { $ref: '#/$defs/place' }, work: { $ref: '#/$defs/place' } },
    { $defs: { place: object({ city: { $ref: '#/$defs/city' } }), city: { type: 'string', minLength: 2 } } },
  ),
};

describe(JsonGenerator.name, () => {
  it.each(Object.keys(SCHEMAS))('makes values that are valid against %s', (name) => {
    const schema = SCHEMAS[name] ?? {};
    const check = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
    for (const seed of ['a', 'b', 'c', 'd', 'e']) expect(check.parse(generate(schema, seed))).toBeDefined();
  });

  it('merges allOf and what stands beside a reference', () => {
    const schema = {
      $ref: '#/$defs/base',
      allOf: [object({ b: { type: 'integer' } })],
      $defs: { base: object({ a: { type: 'string' } }) },
    };
    expect(generate(schema)).toEqual({ a: expect.any(String), b: expect.any(Number) });
  });

  it('fills fixed places of an array', () => {
    const schema = { prefixItems: [{ const: 1 }, { const: 'two' }], items: false };
    expect(generate(schema)).toEqual([1, 'two']);
  });

  it('comes to an end on recursive schemas', () => {
    const node: JsonObject = object({ next: { anyOf: [{ $ref: '#' }, { type: 'null' }] } });
    const tree: JsonObject = object({ children: { type: 'array', items: { $ref: '#' } } });
    expect(JSON.stringify(generate(node))).toContain('null');
    expect(JSON.stringify(generate(tree))).toContain('[]');
    const endless = { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/a' } } };
    expect(generate(endless)).toEqual(expect.any(String));
    const circle = {
      $ref: '#/$defs/a',
      $defs: { a: { allOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/a' }] } },
    };
    expect(generate(circle)).toEqual(expect.any(String));
    const wide = object(Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`p${at}`, { $ref: '#' }])));
    expect(JSON.stringify(generate(wide)).length).toBeLessThan(10_000_000);
  });

  it('follows escaped references', () => {
    const schema = { $ref: '#/$defs/a~1b%20c%zz', $defs: { 'a/b c%zz': { const: 'found' } } };
    expect(generate(schema)).toBe('found');
  });

  it('leaves optional properties out of tool arguments', () => {
    const schema = { properties: { a: { type: 'string' }, b: { type: 'string' } }, required: ['a'] };
    expect(Object.keys(generate(schema, 'x', true) as JsonObject)).toEqual(['a']);
    expect(Object.keys(generate(schema, 'x', false) as JsonObject)).toEqual(['a', 'b']);
  });

  it('is deterministic', () => {
    const schema = SCHEMAS.scalars ?? {};
    expect(generate(schema, 'same')).toEqual(generate(schema, 'same'));
    expect(generate(schema, 'same')).not.toEqual(generate(schema, 'other'));
  });
});
