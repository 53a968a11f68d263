import path from 'node:path';
import { listPrice } from '../../../src/catalog/list-price';
import { loadCatalog } from '../../../src/catalog/loader/load-catalog';
import { ModelNames } from '../../../src/catalog/model-names';
import { PROVIDER_IDS, TASK_TYPES } from '../../../src/common/index';
import { packageRoot } from '../../../src/config/index';

const { models, prices } = loadCatalog([path.join(packageRoot(), 'config')]);
const names = new ModelNames(models);

describe('the shipped catalog', () => {
  it('has at least 40 current models over the eight providers and the sandbox', () => {
    const current = models.filter((model) => model.status === 'active' && model.provider !== 'sandbox');
    expect(current.length).toBeGreaterThanOrEqual(40);
    expect(new Set(models.map((model) => model.provider))).toEqual(new Set(PROVIDER_IDS));
  });

  it('gives every model a price: exactly one reviewed list id, or its own', () => {
    for (const model of models) {
      const listed = model.priceId === undefined ? undefined : listPrice(model.priceId, new Date());
      expect({ id: model.id, sources: [listed, prices.get(model.id)].filter(Boolean).length }).toEqual({
        id: model.id,
        sources: 1,
      });
    }
  });

  it('prices nothing at 0 but what runs at home', () => {
    const free = models.filter((model) => {
      const price = model.priceId ? listPrice(model.priceId, new Date()) : prices.get(model.id)?.[0]?.price;
      return price?.prices.inputPicoUsd === 0n || price?.prices.outputPicoUsd === 0n;
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

  it('keeps the sandbox below every real model', () => {
    const best = Math.max(...models.filter((m) => m.provider === 'sandbox').map((m) => m.scores.GENERAL));
    const real = models.filter((model) => model.provider !== 'sandbox');
    expect(Math.min(...real.map((model) => model.scores.GENERAL))).toBeGreaterThan(best);
  });

  it('takes over the announced price of Gemini 4 Argon on its day', () => {
    const schedule = prices.get('google/gemini-4-argon') ?? [];
    expect(schedule.map(({ from, price }) => [from?.toISOString(), price.prices.inputPicoUsd])).toEqual([
      [undefined, 2_000_000n],
      ['2026-12-01T00:00:00.000Z', 4_000_000n],
    ]);
  });
});
