import path from 'node:path';
import { listPrice } from '../../../src/catalog/list-price';
import { loadCatalog } from '../../../src/catalog/loader/load-catalog';
import { kindOf } from '../../../src/catalog/model';
import { ModelNames } from '../../../src/catalog/model-names';
import { parseUsd, PROVIDER_IDS, TASK_TYPES } from '../../../src/common/index';
import { packageRoot } from '../../../src/config/index';

const { models, prices } = loadCatalog([path.join(packageRoot(), 'config')]);
const names = new ModelNames(models);

describe('the shipped catalog', () => {
  it('has at least 40 current models over the nine providers and the sandbox', () => {
    const current = models.filter((model) => model.status === 'active' && model.provider !== 'sandbox');
    expect(current.length).toBeGreaterThanOrEqual(40);
    expect(new Set(models.map((model) => model.provider))).toEqual(new Set(PROVIDER_IDS));
  });

  it('gives every model a price: exactly one reviewed list id, or its own', () => {
    for (const model of models) {
      const listed =
        model.priceId === undefined ? undefined : listPrice(model.priceId, new Date(), kindOf(model));
      expect({ id: model.id, sources: [listed, prices.get(model.id)].filter(Boolean).length }).toEqual({
        id: model.id,
        sources: 1,
      });
    }
  });

  it('prices nothing at 0 but what runs at home, and the output of embeddings, which is none', () => {
    const free = models.filter((model) => {
      const price = model.priceId
        ? listPrice(model.priceId, new Date(), kindOf(model))
        : prices.get(model.id)?.[0]?.price;
      const output = price?.prices.outputPicoUsd;
      if (model.embedding) expect({ id: model.id, output }).toEqual({ id: model.id, output: 0n });
      return price?.prices.inputPicoUsd === 0n || (!model.embedding && output === 0n);
    });
    expect(new Set(free.map((model) => model.provider))).toEqual(new Set(['local', 'sandbox']));
  });

  it('scores every model on every task type between 0 and 1', () => {
    for (const model of models) {
      const values = TASK_TYPES.map((type) => model.scores[type]);
      expect(values.every((value) => value >= 0 && value <= 1)).toBe(true);
      expect(model.scoreSource).toBe('estimate');
    }
  });

  it('names an active successor for whatever is deprecated or retired', () => {
    for (const model of models.filter((candidate) => candidate.status !== 'active')) {
      const successor = model.successor && names.find(model.successor);
      expect({ id: model.id, successor: successor && successor.status }).toEqual({
        id: model.id,
        successor: 'active',
      });
    }
  });

  it.each([
    ['gpt-4o', 'openai/gpt-4o', 'deprecated'],
    ['gpt-4o-mini', 'openai/gpt-4o-mini', 'deprecated'],
    ['gpt-4', 'openai/gpt-4', 'retired'],
    ['gpt-4-turbo', 'openai/gpt-4-turbo', 'retired'],
    ['gpt-5.1-codex-max', 'openai/gpt-5.1-codex-max', 'retired'],
    ['claude-sonnet-4-5-20250929', 'anthropic/claude-sonnet-4-5', 'deprecated'],
    ['claude-haiku-4-5', 'anthropic/claude-haiku-4-5', 'deprecated'],
    ['gemini-1.5-pro', 'google/gemini-1.5-pro', 'retired'],
  ])('still knows %s', (asked, id, status) => {
    const { models: found, warnings } = names.resolve(asked);
    expect(found[0]).toMatchObject({ id, status });
    expect(warnings.join()).toContain(`deprecated`);
    expect(warnings.join()).toContain(String(found[0]?.successor));
  });

  it('has a sandbox that can do everything, free of charge', () => {
    for (const id of ['sandbox/small', 'sandbox/large', 'sandbox/flaky']) {
      expect(names.find(id)?.supports).toMatchObject({ tools: true, jsonSchema: true, streaming: true });
    }
    expect(names.find('sandbox/large')?.supports).toMatchObject({ vision: true, reasoning: true });
  });

  it('lists nothing that is sold at other prices than text', () => {
    const heard = models.filter(({ input }) => input.includes('audio') || input.includes('video'));
    expect(heard.map(({ id }) => id)).toEqual([]);
  });

  it.each([
    [true, 'openai/gpt-4o'],
    [true, 'openai/gpt-6-sol'],
    [true, 'anthropic/claude-haiku-4-5'],
    [true, 'google/gemini-3.8-flash'],
    [true, 'bedrock/claude-sonnet-5'],
    [true, 'bedrock/nova-pro'],
    [false, 'openai/gpt-4-turbo'],
    [false, 'azure/gpt-6-luna'],
    [false, 'dial/claude-opus-5-5'],
    [false, 'bedrock/nova-micro'],
    [false, 'xai/grok-4.7'],
    [false, 'local/gemma3'],
  ])('says %s to documents for %s', (reads, id) => {
    expect(names.find(id)?.input.includes('document')).toBe(reads);
  });

  it.each([
    ['responses', 'openai/gpt-6-astra'],
    ['responses', 'openai/gpt-6.1-terra'],
    ['responses', 'openai/gpt-5.6-luna'],
    ['responses', 'openai/gpt-5.4-mini'],
    ['responses', 'azure/gpt-6.1-sol'],
    [undefined, 'openai/gpt-5.2'],
    [undefined, 'openai/gpt-4o'],
    // What DIAL sends on to the vendor is DIAL's own concern.
    [undefined, 'dial/gpt-6.1-sol'],
  ])('takes tools over the API %s for %s', (api, id) => expect(names.find(id)?.toolsApi).toBe(api));

  it('keeps the sandbox below every real model', () => {
    const best = Math.max(...models.filter((m) => m.provider === 'sandbox').map((m) => m.scores.GENERAL));
    const real = models.filter((model) => model.provider !== 'sandbox' && !model.embedding);
    expect(Math.min(...real.map((model) => model.scores.GENERAL))).toBeGreaterThan(best);
  });

  it.each([
    ['openai/text-embedding-3-small', '0.02'],
    ['openai/text-embedding-3-large', '0.13'],
    ['azure/text-embedding-ada-002', '0.1'],
    ['google/gemini-embedding-001', '0.15'],
    // The list knows the first Titan only, at five times the price.
    ['bedrock/titan-embed-text-v2', '0.02'],
    ['bedrock/cohere.embed-v4', '0.12'],
    ['cohere/embed-v4.0', '0.12'],
    ['cohere/embed-english-v3.0', '0.1'],
  ])('sells %s for %s dollars per million tokens', (id, usd) => {
    const model = names.find(id);
    const price = model?.priceId
      ? listPrice(model.priceId, new Date(), 'embedding')
      : prices.get(id)?.[0]?.price;
    expect(price?.prices).toMatchObject({ inputPicoUsd: parseUsd(usd) / 1_000_000n, outputPicoUsd: 0n });
  });

  it('knows of every embedding model how long its vectors are and how much it takes at once', () => {
    const embedding = models.filter((model) => model.embedding);
    expect(new Set(embedding.map(({ provider }) => provider))).toEqual(
      new Set(['openai', 'azure', 'google', 'bedrock', 'cohere', 'dial', 'sandbox']),
    );
    for (const { id, embedding: facts, maxOutputTokens, supports } of embedding) {
      expect({ id, dimensions: typeof facts?.dimensions, maxOutputTokens }).toEqual({
        id,
        dimensions: 'number',
        maxOutputTokens: 0,
      });
      expect(Object.values(supports).some(Boolean)).toBe(false);
    }
    expect(names.find('bedrock/titan-embed-text-v2')?.embedding?.maxBatch).toBe(1);
    expect(names.find('cohere/embed-v4.0')?.embedding?.maxBatch).toBe(96);
  });

  it('asks for packed vectors where OpenAI makes them, and nowhere else', () => {
    const packing = models.filter((model) => model.embedding?.hasBase64).map(({ baseModel }) => baseModel);
    expect(new Set(packing)).toEqual(
      new Set(['text-embedding-3-large', 'text-embedding-3-small', 'text-embedding-ada-002']),
    );
    expect(names.find('azure/text-embedding-3-large')?.embedding?.hasBase64).toBe(true);
  });

  it('knows who else sells an embedding model', () => {
    expect(names.resolve('text-embedding-3-small').models.map(({ id }) => id)).toEqual([
      'openai/text-embedding-3-small',
      'azure/text-embedding-3-small',
      'dial/text-embedding-3-small',
    ]);
    expect(names.resolve('embed-english-v3.0').models.map(({ id }) => id)).toEqual([
      'cohere/embed-english-v3.0',
      'bedrock/cohere.embed-english-v3',
    ]);
  });

  it('takes over the announced price of Gemini 4 Argon on its day', () => {
    const schedule = prices.get('google/gemini-4-argon') ?? [];
    expect(schedule.map(({ from, price }) => [from?.toISOString(), price.prices.inputPicoUsd])).toEqual([
      [undefined, 2_000_000n],
      ['2026-12-01T00:00:00.000Z', 4_000_000n],
    ]);
  });
});
