import type { CatalogModel, EmbeddingFacts } from '../../../src/catalog/index';
import type { EmbeddingRequest, ProviderId } from '../../../src/common/index';
import { embeddingDecision, EmbeddingSelection } from '../../../src/selection/index';
import { aContext, aModel, aRequest } from '../../support/factories';
import { aRouter, type Surroundings } from './support';

const FACTS: EmbeddingFacts = {
  dimensions: 1536,
  minDimensions: 1,
  maxBatch: 100,
  takesTokens: false,
  hasInputTypes: false,
  cutsLongTexts: false,
  hasBase64: false,
  quality: 0.5,
};

function embedder(id: string, facts: Partial<EmbeddingFacts> = {}, more: Partial<CatalogModel> = {}) {
  return aModel({ id, embedding: { ...FACTS, ...facts }, ...more });
}

const SMALL = embedder('openai/small', { takesTokens: true, quality: 0.6 }, { speed: 'fast' });
const SMALL_ELSEWHERE = embedder('azure/small', { takesTokens: true, quality: 0.6 }, { isDeployment: true });
const LARGE = embedder('google/large', {
  dimensions: 3072,
  minDimensions: undefined,
  allowedDimensions: [768, 3072],
  quality: 0.9,
});
const FIXED = embedder('cohere/fixed', { dimensions: 1024, minDimensions: undefined, quality: 0.7 });
const CHAT = aModel({ id: 'openai/chat' });
const ALL: readonly ProviderId[] = ['openai', 'azure', 'google', 'cohere'];

function plan(
  request: Partial<EmbeddingRequest>,
  surroundings: Partial<Surroundings> = {},
  allowedModels?: readonly string[],
) {
  const { embeddings } = aRouter({
    models: [CHAT, SMALL, SMALL_ELSEWHERE, LARGE, FIXED],
    available: ALL,
    ...surroundings,
  });
  const ctx = aContext({ principal: { ...aContext().principal, allowedModels } });
  return embeddings.plan(ctx, whole(request));
}

function whole(request: Partial<EmbeddingRequest>): EmbeddingRequest {
  return { model: 'auto', inputs: ['a text'], encoding: 'float', extra: {}, ...request };
}

const idsOf = ({ candidates }: ReturnType<typeof plan>): string[] => candidates.map(({ model }) => model.id);

describe(EmbeddingSelection.name, () => {
  it('chooses the best available model with auto, and nobody else to take over from it', () => {
    expect(idsOf(plan({}))).toEqual(['google/large']);
    expect(idsOf(plan({}, { available: ['openai', 'azure', 'cohere'] }))).toEqual(['cohere/fixed']);
    const sold = plan({}, { available: ['openai', 'azure'] });
    expect(idsOf(sold)).toEqual(['openai/small', 'azure/small']);
    expect(sold.warnings).toEqual([expect.stringContaining('chose openai/small')]);
  });

  it('lets speed count with auto:fast', () => {
    expect(idsOf(plan({ model: 'auto:fast' }))[0]).toBe('openai/small');
  });

  it('takes the sellers of the named model only, the named one first', () => {
    expect(idsOf(plan({ model: 'azure/small' }))).toEqual(['azure/small', 'openai/small']);
    expect(idsOf(plan({ model: 'small', fallback: 'none' }))).toEqual(['openai/small']);
    expect(idsOf(plan({ model: 'small' }, { available: ['azure', 'google'] }))).toEqual(['azure/small']);
  });

  it('leaves a seller out whose vectors have another length by themselves', () => {
    const short = embedder('azure/small', { dimensions: 512, takesTokens: true });
    const models = [SMALL, short];
    expect(idsOf(plan({ model: 'small' }, { models }))).toEqual(['openai/small']);
    expect(idsOf(plan({ model: 'small', dimensions: 256 }, { models }))).toEqual([
      'openai/small',
      'azure/small',
    ]);
  });

  it.each([
    [{ model: 'openai/small', dimensions: 1537 }, '1 to 1536'],
    [{ model: 'google/large', dimensions: 1024 }, '768, 3072'],
    [{ model: 'cohere/fixed', dimensions: 512 }, '1024 dimensions only'],
  ])('refuses the dimensions of %j and says which there are', (request, text) => {
    expect(() => plan(request)).toThrow(
      expect.objectContaining({
        status: 400,
        param: 'dimensions',
        message: expect.stringContaining(text) as string,
      }),
    );
  });

  it('takes the one length of a model whose length is fixed', () => {
    expect(idsOf(plan({ model: 'cohere/fixed', dimensions: 1024 }))).toEqual(['cohere/fixed']);
  });

  it('finds with auto what can make the length, or token ids', () => {
    expect(idsOf(plan({ dimensions: 1024 }))).toEqual(['cohere/fixed']);
    expect(idsOf(plan({ inputs: [[1, 2]] }))[0]).toBe('openai/small');
    expect(() => plan({ model: 'google/large', inputs: [[1]] })).toThrow(
      expect.objectContaining({ status: 400, param: 'input' }),
    );
  });

  it('refuses a chat model, and a chat refuses these', () => {
    expect(() => plan({ model: 'openai/chat' })).toThrow(
      expect.objectContaining({ status: 400, param: 'model' }),
    );
    const router = aRouter({ models: [CHAT, SMALL], available: ALL });
    expect(() => router.plan(aRequest({ model: 'openai/small' }))).toThrow(
      expect.objectContaining({ status: 400, param: 'model' }),
    );
    expect(router.plan(aRequest({ model: 'auto' })).ranking.map(({ model }) => model.id)).toEqual([
      'openai/chat',
    ]);
  });

  it('keeps to what a key may use', () => {
    expect(idsOf(plan({}, {}, ['cohere/*']))).toEqual(['cohere/fixed']);
    expect(() => plan({ model: 'google/large' }, {}, ['cohere/*'])).toThrow(
      expect.objectContaining({ status: 403 }),
    );
    expect(() => plan({}, {}, ['openai/chat'])).toThrow(expect.objectContaining({ status: 403 }));
  });

  it('says what would help when nobody is there', () => {
    expect(() => plan({}, { available: [] })).toThrow(expect.objectContaining({ status: 503 }));
    expect(() => plan({ model: 'openai/small' }, { available: [] })).toThrow('OPENAI_API_KEY');
    expect(() => plan({ dimensions: 9999 })).toThrow(expect.objectContaining({ status: 422 }));
    expect(() => plan({ model: 'cohere/fixed' }, { unpriced: ['cohere/fixed'] })).toThrow(
      expect.objectContaining({ status: 422, code: 'PRICE_UNKNOWN' }),
    );
  });

  it('explains itself without a word of the texts', () => {
    const request = whole({ inputs: ['a secret text', 'another'], dimensions: 768 });
    const record = embeddingDecision(plan(request), request);
    expect(record).toMatchObject({
      asked: { model: 'auto', dimensions: 768 },
      strategy: 'auto',
      candidates: [{ model: 'google/large', quality: 0.9 }],
      features: { inputs: 2 },
      filtered: { dimensions: 1 },
    });
    expect(JSON.stringify(record)).not.toContain('secret');
  });
});
