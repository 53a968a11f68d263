import { Logger } from '@nestjs/common';
import { newId } from '../../../src/common/index';
import type { Tool } from '../../../src/tools/index';
import { ToolRegistry } from '../../../src/tools/index';
import { aContext } from '../../support/factories';

const tool = (name: string, more: Partial<Tool> = {}): Tool => ({
  name,
  description: `The tool ${name}`,
  parameters: { type: 'object' },
  run: () => Promise.resolve(name),
  ...more,
});

const names = (tools: readonly Pick<Tool, 'name'>[]): string[] => tools.map(({ name }) => name);

describe(ToolRegistry.name, () => {
  let errors: jest.SpyInstance;

  beforeEach(() => {
    errors = jest.spyOn(Logger.prototype, 'error').mockImplementation();
  });

  afterEach(() => errors.mockRestore());

  it('finds tools by name and lists them in order', () => {
    const registry = new ToolRegistry();
    registry.register(tool('zoom'));
    registry.register(tool('add'));
    expect(registry.find('zoom')?.description).toBe('The tool zoom');
    expect(registry.find('toString')).toBeUndefined();
    expect(names(registry.list())).toEqual(['add', 'zoom']);
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

  describe('a broken tool', () => {
    const breaks: Readonly<Record<string, () => Tool>> = {
      'cannot be made': () => {
        throw new Error('no such file: /etc/secret');
      },
      'has a schema that is none': () => tool('broken', { parameters: { type: 'strin' } }),
      'refers to a schema elsewhere': () =>
        tool('broken', { parameters: { $ref: 'https://example.com/schema' } }),
      'has an asynchronous schema': () => tool('broken', { parameters: { $async: true, type: 'object' } }),
      'cannot say whether it is available': () =>
        tool('broken', {
          unavailableReason: () => {
            throw new Error('no such file: /etc/secret');
          },
        }),
      'throws when it is looked at': () =>
        Object.defineProperty(tool('broken'), 'parameters', {
          get: () => {
            throw new Error('no such file: /etc/secret');
          },
        }),
    };

    it.each(Object.entries(breaks))('that %s stops no other, and is logged and listed', (_, make) => {
      const registry = new ToolRegistry();
      registry.setUp('before', () => tool('before'));
      registry.setUp('broken', make);
      registry.setUp('later', () => tool('later'));
      expect(names(registry.list())).toEqual(['before', 'later']);
      expect(registry.find('broken')).toBeUndefined();
      expect(names(registry.states())).toEqual(['before', 'broken', 'later']);
      const reason = registry.states()[1]?.unavailableReason;
      expect(reason).toMatch(/\w/);
      expect(reason).not.toContain('secret');
      expect(errors).toHaveBeenCalledWith(expect.stringContaining('broken'));
    });

    it('does not take the place of one that works', () => {
      const registry = new ToolRegistry();
      registry.setUp('add', () => tool('add'));
      registry.setUp('add', () => tool('add', { description: 'Another' }));
      expect(registry.find('add')?.description).toBe('The tool add');
    });
  });

  it('finds a tool for as long as it is available', () => {
    const registry = new ToolRegistry();
    let reason: string | undefined = 'it is away';
    registry.register(tool('far', { unavailableReason: () => reason }));
    expect(registry.find('far')).toBeUndefined();
    expect(registry.list()).toEqual([]);
    expect(registry.known('far')?.unavailableReason).toBe('it is away');
    reason = undefined;
    expect(registry.find('far')?.name).toBe('far');
    expect(names(registry.list())).toEqual(['far']);
  });

  it('compiles the schema of a tool once', () => {
    const registry = new ToolRegistry();
    const read = jest.fn(() => 'object');
    registry.register(
      tool('add', { parameters: Object.defineProperty({}, 'type', { get: read, enumerable: true }) }),
    );
    registry.known('add')?.problems({});
    const reads = read.mock.calls.length;
    registry.known('add')?.problems({});
    registry.find('add');
    expect(read.mock.calls.length).toBe(reads);
  });

  describe('a tool of one owner', () => {
    const ownerId = newId();
    const owner = aContext({ principal: { userId: ownerId, role: 'operator' } });

    it('is there for nobody else', () => {
      const registry = new ToolRegistry();
      registry.register(tool('mine', { ownerId }));
      registry.register(tool('ours'));
      expect(registry.find('mine', owner)?.ownerId).toBe(ownerId);
      expect(names(registry.list(owner))).toEqual(['mine', 'ours']);
      for (const other of [
        undefined,
        aContext(),
        aContext({ principal: { userId: newId(), role: 'admin' } }),
      ]) {
        expect(registry.find('mine', other)).toBeUndefined();
        expect(registry.known('mine', other)).toBeUndefined();
        expect(names(registry.list(other))).toEqual(['ours']);
        expect(names(registry.states(other))).toEqual(['ours']);
      }
    });

    it('may be called as another owner calls one, and goes alone', () => {
      const registry = new ToolRegistry();
      const other = aContext();
      registry.register(tool('mine', { ownerId }));
      registry.register(tool('mine', { ownerId: other.principal.userId, description: 'Other' }));
      expect(registry.find('mine', other)?.description).toBe('Other');
      expect(registry.unregister('mine', ownerId)).toBe(true);
      expect(registry.find('mine', owner)).toBeUndefined();
      expect(registry.find('mine', other)?.description).toBe('Other');
    });

    it('never stands in for one that everybody has', () => {
      const registry = new ToolRegistry();
      registry.register(tool('add', { ownerId, description: 'Mine' }));
      registry.register(tool('add', { description: 'Ours' }));
      expect(registry.find('add', owner)?.description).toBe('Ours');
      expect(names(registry.list(owner))).toEqual(['add']);
      expect(() => registry.register(tool('add', { ownerId: newId() }))).toThrow('already is a tool');
    });
  });
});
