import { ValidationError } from '../../../src/errors/index';
import { canonicalJson } from '../../../src/execution/response-cache/canonical-digest';
import { growthBytes, jsonBody, MAX_DEPTH } from '../../../src/gateway/json-body';

const lists = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const objects = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
const bodyWith = (value: string): unknown => JSON.parse(`{"model":"auto","x":${value}}`);

describe(jsonBody.name, () => {
  it.each([lists, objects])(
    'takes what is as deep as allowed, and all of it can be written again',
    (nested) => {
      const body = jsonBody(bodyWith(nested(MAX_DEPTH)));
      expect(canonicalJson(body)).not.toBe('');
    },
  );

  it.each([lists(MAX_DEPTH + 1), objects(MAX_DEPTH + 1), `[0,{"b":${lists(MAX_DEPTH)}}]`, lists(100_000)])(
    'names the field that is deeper',
    (value) => {
      const refused = (): unknown => jsonBody(bodyWith(value));
      expect(refused).toThrow(ValidationError);
      expect(refused).toThrow(expect.objectContaining({ param: 'x' }));
      expect(refused).toThrow(/200 levels deep: flatten it/);
    },
  );

  it.each([null, [], 'text', undefined])('refuses %j', (body) => {
    expect(() => jsonBody(body)).toThrow(expect.objectContaining({ param: 'body' }));
  });
});

describe(growthBytes.name, () => {
  it.each([
    '[1e20,1e20]',
    '{"a":-1e20,"b":[1E5,1e-6,0.5,123456789]}',
    '[1e308,-1e-300,1e21]',
    '{"\uFFFD":"a\uFFFDb"}',
    '"\\u0001\\ud800 \\/ ü"',
    'null',
  ])('bounds by how much %s is longer when it is written again', (text) => {
    const received = Buffer.byteLength(text) - 2 * (text.split('\uFFFD').length - 1);
    const value = JSON.parse(text) as Parameters<typeof growthBytes>[0];
    const sent = Buffer.byteLength(JSON.stringify(value));
    expect(growthBytes(value)).toBeGreaterThanOrEqual(sent - received);
  });

  it('is 0 for what requests usually hold', () => {
    const usual = {
      model: 'auto',
      temperature: 0.7,
      max_tokens: 999,
      stream: true,
      messages: [{ n: null }, 'ü'],
    };
    expect(growthBytes(usual)).toBe(0);
  });
});
