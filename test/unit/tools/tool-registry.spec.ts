import type { Tool } from '../../../src/tools/index';
import { ToolRegistry } from '../../../src/tools/index';

const tool = (name: string): Tool => ({
  name,
  description: `The tool ${name}`,
  parameters: { type: 'object' },
  run: () => Promise.resolve(name),
});

describe(ToolRegistry.name, () => {
  it('finds tools by name and lists them in order', () => {
    const registry = new ToolRegistry();
    registry.register(tool('zoom'));
    registry.register(tool('add'));
    expect(registry.find('zoom')?.description).toBe('The tool zoom');
    expect(registry.find('toString')).toBeUndefined();
    expect(registry.list().map((item) => item.name)).toEqual(['add', 'zoom']);
  });

  it('refuses a second tool of the same name until the first is gone', () => {
    const registry = new ToolRegistry();
    registry.register(tool('add'));
    expect(() => registry.register(tool('add'))).toThrow('There already is a tool "add"');
    expect(registry.unregister('add')).toBe(true);
    expect(registry.unregister('add')).toBe(false);
    registry.register(tool('add'));
    expect(registry.list()).toHaveLength(1);
  });

  it.each(['', 'has space', 'é', 'a'.repeat(65)])(
    'refuses the name "%s", which providers would refuse',
    (name) => {
      expect(() => new ToolRegistry().register(tool(name))).toThrow('is no tool name');
    },
  );
});
