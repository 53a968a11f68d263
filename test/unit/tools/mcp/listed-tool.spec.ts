import type { JsonValue } from '../../../../src/common/index';
import { listedTool } from '../../../../src/tools/mcp/listed-tool';

const inputSchema = { type: 'object' };

describe('listedTool', () => {
  it('takes over name, description and schema', () => {
    const schema = { type: 'object', properties: { a: { type: 'string' } } };
    expect(listedTool({ name: 'a', description: 'Does a.', inputSchema: schema })).toEqual({
      name: 'a',
      description: 'Does a.',
      parameters: schema,
      problem: undefined,
    });
  });

  it('has its title or its name for a description', () => {
    expect(listedTool({ name: 'a', title: 'The A', inputSchema })?.description).toBe('The A');
    expect(listedTool({ name: 'a', description: ' ', inputSchema })?.description).toBe('a');
    expect(listedTool({ name: 'a', description: 'x'.repeat(9999), inputSchema })?.description).toHaveLength(
      4096,
    );
  });

  it.each<JsonValue>([null, 'a', [], {}, { name: '' }, { name: 3 }, { name: 'x'.repeat(201) }])(
    'leaves out %j, which has no name',
    (listed) => {
      expect(listedTool(listed)).toBeUndefined();
    },
  );

  it.each<[string, JsonValue]>([
    ['none', null],
    ['a list', []],
    ['a text', { type: 'string' }],
    ['too large', { type: 'object', description: 'x'.repeat(70_000) }],
  ])('says what is wrong with a schema: %s', (_kind, schema) => {
    const tool = listedTool({ name: 'a', inputSchema: schema });
    expect(tool?.problem).toContain('the schema of its arguments');
    expect(tool?.parameters).toEqual({ type: 'object' });
  });
});
