import { loadCatalog } from '../../../src/catalog/loader/load-catalog';
import { ConfigurationError } from '../../../src/errors/index';
import { catalogFolder, modelsYaml, modelYaml } from '../../support/catalog/catalog-folder';

const own = (yaml: string) => catalogFolder({ 'mine.yaml': yaml });
const withModel = (capacity: string) => modelsYaml(modelYaml('openai/a', `capacity: ${capacity}`));
const withProvider = (capacity: string, name = 'openai') =>
  `${modelsYaml(modelYaml('openai/a'))}providers: { ${name}: { capacity: ${capacity} } }\n`;

describe('capacities in the catalog files', () => {
  it('are none by default', () => {
    const { models, capacities } = loadCatalog([own(modelsYaml(modelYaml('openai/a')))]);
    expect([models[0]?.capacity, capacities.size]).toEqual([undefined, 0]);
  });

  it('stand on a model and on a provider, with defaults for the queue', () => {
    const yaml = `${withModel('{ requestsPerMinute: 500, queueMs: 0 }')}providers: { openai: { capacity: { concurrency: 3 } } }\n`;
    const { models, capacities } = loadCatalog([own(yaml)]);
    expect(models[0]?.capacity).toEqual({ requestsPerMinute: 500, queueMs: 0, queueLength: 100 });
    expect([...capacities]).toEqual([['openai', { concurrency: 3, queueMs: 10_000, queueLength: 100 }]]);
  });

  it('are overridden field by field, and change the version', () => {
    const builtIn = own(
      `${withModel('{ concurrency: 3, queueMs: 5 }')}providers: { openai: { capacity: { concurrency: 9 } } }\n`,
    );
    const mine = own(
      'models:\n  - { id: openai/a, capacity: { concurrency: 4 } }\nproviders: { openai: { capacity: { queueLength: 1 } } }\n',
    );
    const { models, capacities, hash } = loadCatalog([mine, builtIn]);
    expect(models[0]?.capacity).toMatchObject({ concurrency: 4, queueMs: 5 });
    expect(capacities.get('openai')).toMatchObject({ concurrency: 9, queueLength: 1 });
    expect(hash).not.toBe(loadCatalog([builtIn]).hash);
  });

  it('of a provider alone change the version too', () => {
    const hashes = [1, 2].map((limit) => loadCatalog([own(withProvider(`{ concurrency: ${limit} }`))]).hash);
    expect(hashes[0]).not.toBe(hashes[1]);
  });

  it('are not inherited by a deployment, whose seller has an agreement of its own', () => {
    const yaml = `${withModel('{ concurrency: 3 }')}deployments:\n  - { id: azure/x, base: openai/a }\n`;
    const { models } = loadCatalog([own(yaml)]);
    expect(models.find(({ id }) => id === 'azure/x')?.capacity).toBeUndefined();
  });

  it('may stand on embedding models', () => {
    const yaml = modelYaml(
      'openai/e',
      'embedding: { quality: 0.5, maxBatch: 9 }, capacity: { concurrency: 3 }',
    );
    expect(loadCatalog([own(modelsYaml(yaml))]).models[0]?.capacity).toMatchObject({ concurrency: 3 });
  });

  it.each([
    [
      'no whole number',
      withModel('{ concurrency: 1.5 }'),
      'models[0].capacity.concurrency: must be a whole number',
    ],
    [
      'nothing to pass',
      withModel('{ concurrency: 0 }'),
      'models[0].capacity.concurrency: must be a whole number of requests from 1',
    ],
    ['an unknown field', withModel('{ rpm: 5 }'), 'models[0].capacity: Unrecognized key: "rpm"'],
    ['no limit', withModel('{ queueMs: 5 }'), 'models[0].capacity: limits nothing; give requestsPerMinute'],
    [
      'a queue that is too long',
      withProvider('{ concurrency: 1, queueMs: 600001 }'),
      'providers.openai.capacity.queueMs: must be a whole number of milliseconds from 0 to 600000',
    ],
    [
      'a text',
      withProvider('{ concurrency: many }'),
      'providers.openai.capacity.concurrency: must be a whole number',
    ],
    [
      'no limit of a provider',
      withProvider('{ queueLength: 5 }'),
      'providers.openai.capacity: limits nothing',
    ],
    [
      'an unknown provider',
      withProvider('{ concurrency: 1 }', 'nobody'),
      'providers: must name providers: openai',
    ],
  ])('with %s stop the boot naming file, place and reason', (_, yaml, message) => {
    const folder = own(yaml);
    expect(() => loadCatalog([folder])).toThrow(ConfigurationError);
    expect(() => loadCatalog([folder])).toThrow(`${folder}/catalog/mine.yaml: ${message}`);
  });
});
