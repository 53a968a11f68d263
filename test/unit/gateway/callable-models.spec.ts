import { type CatalogModel, type CatalogService, ModelNotFoundError } from '../../../src/catalog/index';
import type { Principal } from '../../../src/common/index';
import { CallableModels } from '../../../src/gateway/callable-models';
import type { ModelAvailability } from '../../../src/selection/index';
import { aContext, aModel } from '../../support/factories';

const models = ['openai/a', 'openai/away', 'anthropic/b'].map((id) => aModel({ id }));
const catalog = {
  list: () => models,
  resolve: (name: string) => {
    const found = models.filter(({ id }) => id === name || id.endsWith(`/${name}`));
    if (found.length === 0) throw new ModelNotFoundError(name, []);
    return { models: found, warnings: [] };
  },
} as unknown as CatalogService;
const availability = {
  isCallable: ({ id }: CatalogModel) => id !== 'openai/away',
} as unknown as ModelAvailability;
const callable = new CallableModels(catalog, availability);

const { principal } = aContext();
const key = (...allowedModels: string[]): Principal => ({ ...principal, allowedModels });
const named = (who: Principal): string[] =>
  callable
    .list(who)
    .map(({ id }) => id)
    .filter((id) => !id.startsWith('auto'));

describe(CallableModels.name, () => {
  it('lists what can be called, to a key only what it may use', () => {
    expect(named(principal)).toEqual(['openai/a', 'anthropic/b']);
    expect(named(key('openai/*'))).toEqual(['openai/a']);
    expect(named(key('anthropic/b'))).toEqual(['anthropic/b']);
  });

  it('lists the ways of routing while there is something to route to', () => {
    expect(callable.list(key('openai/a')).map(({ id }) => id)).toContain('auto:cheap');
    expect(callable.list(key('openai/away'))).toEqual([]);
    expect(callable.list(key('xai/*'))).toEqual([]);
  });

  it('finds by id and by bare name within what the key may use', () => {
    expect(callable.find(principal, 'anthropic/b')?.id).toBe('anthropic/b');
    expect(callable.find(key('anthropic/*'), 'b')?.id).toBe('anthropic/b');
    for (const name of ['anthropic/b', 'b']) expect(callable.find(key('openai/*'), name)).toBeUndefined();
    expect(callable.find(key('openai/*'), 'away')).toBeUndefined();
    expect(callable.find(principal, 'auto:best')?.id).toBe('auto:best');
    expect(callable.find(key('xai/*'), 'auto')).toBeUndefined();
  });
});
