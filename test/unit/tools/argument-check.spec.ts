import type { JsonObject } from '../../../src/common/index';
import { argumentCheck, boundedArgumentCheck } from '../../../src/tools/argument-check';
import { isCheap, schemaCost } from '../../../src/tools/schema-cost';

const problems = (schema: JsonObject, args: JsonObject): readonly string[] => argumentCheck(schema)(args);

describe('argumentCheck', () => {
  it.each<[string, JsonObject, JsonObject, string]>([
    [
      'a short text',
      { properties: { a: { minLength: 2 } } },
      { a: 'x' },
      'arguments.a must NOT have fewer than 2 characters',
    ],
    ['a small number', { properties: { a: { minimum: 3 } } }, { a: 1 }, 'arguments.a must be >= 3'],
    [
      'a text that fits no pattern',
      { properties: { a: { pattern: '^x' } } },
      { a: 'y' },
      'arguments.a must match pattern "^x"',
    ],
    [
      'a long list',
      { properties: { a: { maxItems: 1 } } },
      { a: [1, 2] },
      'arguments.a must NOT have more than 1 items',
    ],
    [
      'a property of an inner object that is not known',
      { properties: { a: { type: 'object', properties: { b: {} }, additionalProperties: false } } },
      { a: { c: 1 } },
      'arguments.a.c is not known; known: b',
    ],
    [
      'a value that fits none of several forms',
      { properties: { a: { anyOf: [{ type: 'string' }, { type: 'number' }] } } },
      { a: true },
      'arguments.a fits none of what is allowed: must be string, or must be number',
    ],
    [
      'a value that fits two forms',
      { properties: { a: { oneOf: [{ minimum: 1 }, { maximum: 5 }] } } },
      { a: 3 },
      'arguments.a fits none of what is allowed: it fits more than one form, and must fit exactly one',
    ],
    [
      'a key with a slash',
      { properties: { 'a/b~c': { type: 'string' } } },
      { 'a/b~c': 1 },
      'arguments.a/b~c must be of type string',
    ],
    [
      'a definition',
      { definitions: { day: { enum: ['mon', 'tue'] } }, properties: { on: { $ref: '#/definitions/day' } } },
      { on: 'sun' },
      'arguments.on must be one of ["mon","tue"]',
    ],
    [
      'a schema of 2020-12',
      {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        properties: { a: { prefixItems: [{ type: 'string' }] } },
      },
      { a: [1] },
      'arguments.a[0] must be of type string',
    ],
    [
      'a schema of 2019-09',
      { $schema: 'https://json-schema.org/draft/2019-09/schema', dependentRequired: { a: ['b'] } },
      { a: 1 },
      'arguments.b is required',
    ],
  ])('names %s', (_, schema, args, problem) => {
    expect(problems({ type: 'object', ...schema }, args)).toEqual([problem]);
  });

  it('takes what an object inherits for missing', () => {
    expect(problems({ required: ['toString'] }, {})).toEqual(['arguments.toString is required']);
  });

  it('neither changes arguments nor fills them in', () => {
    const args = Object.freeze({ a: '1' });
    const schema = { properties: { a: { type: 'number' }, b: { default: 2 } } };
    expect(problems(schema, args)).toEqual(['arguments.a must be of type number']);
    expect(args).toEqual({ a: '1' });
  });

  it('lets no schema see the ids of another', () => {
    const first = { $id: 'https://example.com/one', definitions: { a: { $id: 'inner', type: 'string' } } };
    argumentCheck(first);
    expect(() => argumentCheck({ $ref: 'https://example.com/one' })).toThrow("can't resolve");
    expect(() => argumentCheck({ ...first, type: 'object' })).not.toThrow();
  });

  it('matches patterns in linear time', () => {
    const schema = { properties: { a: { pattern: '^(a+)+$' } } };
    expect(problems(schema, { a: `${'a'.repeat(50_000)}!` })).toHaveLength(1);
    expect(problems(schema, { a: 'a'.repeat(50_000) })).toEqual([]);
  });

  it('leaves a pattern to the tool that only a backtracking engine knows', () => {
    expect(problems({ properties: { a: { pattern: '^(?!x)' } } }, { a: 'x' })).toEqual([]);
  });

  it.each([[{ type: 'strin' }], [{ properties: { a: { pattern: '(' } } }], [{ required: 'a' }]] as [
    JsonObject,
  ][])('refuses the schema %j', (schema) => {
    expect(() => argumentCheck(schema)).toThrow();
  });

  it('says what is wrong with a schema', () => {
    expect(() => argumentCheck({ properties: { a: { type: 'strin' } } })).toThrow(
      'schema/properties/a/type must be equal to one of the allowed values',
    );
  });
});

/** Each level refers to the next one twice. */
function doubling(levels: number): JsonObject {
  const names = Array.from({ length: levels }, (_, level) => `a${level}`);
  const $defs = names.map((name, level) => {
    const $ref = `#/$defs/a${level + 1}`;
    return [name, level + 1 < levels ? { anyOf: [{ $ref }, { $ref }] } : { type: 'string' }];
  });
  return { type: 'object', properties: { a: { $ref: '#/$defs/a0' } }, $defs: Object.fromEntries($defs) };
}

describe('boundedArgumentCheck', () => {
  it('names problems as for any other tool', () => {
    const schema = {
      type: 'object',
      properties: { a: { $ref: '#/$defs/b' } },
      $defs: { b: { type: 'string' } },
    };
    expect(boundedArgumentCheck(schema)({ a: 1 })).toEqual(['arguments.a must be of type string']);
    expect(boundedArgumentCheck(doubling(4))({ a: 1 })).toContain('arguments.a must be of type string');
  });

  it.each([
    ['doubles with each level', doubling(22)],
    ['refers to itself', { $ref: '#' }],
    ['refers to itself further down', { properties: { a: { $ref: '#/properties/a' } } }],
    ['has an id that its references start from', { properties: { a: { $id: 'b', $ref: '#/c', c: {} } } }],
    ['refers through a part with an id', { properties: { a: { $ref: '#/b/c' } }, b: { $id: 'b', c: {} } }],
    ['is very long', { properties: { a: { enum: Array.from({ length: 5000 }, (_, index) => index) } } }],
  ] as [string, JsonObject][])('leaves a schema to the tool that %s', (_, schema) => {
    expect(schemaCost(schema)).toBeUndefined();
    expect(boundedArgumentCheck(schema)({ a: 1 })).toEqual([]);
  });

  it.each([
    [
      'much to compare with much',
      { items: { enum: Array.from({ length: 500 }, (_, index) => index) } },
      4000,
    ],
    ['a long list whose items must differ', { uniqueItems: true }, 4000],
  ] as [string, JsonObject, number][])('leaves %s to the tool', (_, a, length) => {
    const schema = { properties: { a } };
    const check = boundedArgumentCheck(schema);
    expect(check({ a: [{}, {}] })).not.toEqual([]);
    expect(check({ a: Array.from({ length }, () => ({})) })).toEqual([]);
  });

  it('counts long texts', () => {
    const cost = schemaCost({ allOf: Array.from({ length: 300 }, () => ({ maxLength: 1 })) });
    expect(cost && isCheap(cost, { a: 'x' })).toBe(true);
    expect(cost && isCheap(cost, { a: 'x'.repeat(1_000_000) })).toBe(false);
  });

  it('refuses what is no schema', () => {
    expect(() => boundedArgumentCheck({ type: 'strin' })).toThrow('schema/type');
  });
});
