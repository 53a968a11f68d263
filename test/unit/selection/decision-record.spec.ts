import type { CatalogModel } from '../../../src/catalog/index';
import { TASK_TYPES } from '../../../src/common/index';
import { decisionRecord } from '../../../src/selection/index';
import { aModel, aPrice, aRequest } from '../../support/factories';
import { aRouter } from './support';

const SECRET = 'xylophone-4711';

const request = aRequest(
  {
    messages: [
      { role: 'system', content: `The password is ${SECRET}` },
      {
        role: 'user',
        content: [
          {
            type: 'text',
            text: `Write a Python function that translates ${SECRET}, summarize and classify it`,
          },
          { type: 'image_url', image_url: { url: `https://example.org/${SECRET}.png` } },
          { type: 'file', file: { filename: SECRET, file_data: `data:application/pdf;base64,${SECRET}` } },
        ],
      },
    ],
    tools: [{ type: 'function', function: { name: SECRET, description: SECRET } }],
    response_format: { type: 'json_schema', json_schema: { name: SECRET } },
    max_tokens: 4_000,
    stream: true,
    user: SECRET,
  },
  { fallback: 'any', taskType: 'CODE_GENERATION' },
);

const models = Array.from({ length: 60 }, (_, index) =>
  aModel({
    id: `${index % 2 ? 'openai' : 'anthropic'}/a-model-with-a-long-name-${index}`,
    input: ['text', 'image', 'document'],
    ...(index > 50 ? { status: 'retired' as const } : {}),
  }),
);
const guide = `prior: 0.03\nall: { recommended: [${models.map(({ id }) => id).join(', ')}] }`;
const plan = aRouter({ models, guide }).plan(request);

describe(decisionRecord.name, () => {
  it('holds inputs, versions, and the top candidates with scores and price versions', () => {
    const record = decisionRecord(plan, request);
    expect(record).toMatchObject({
      asked: { model: 'auto', taskType: 'CODE_GENERATION', fallback: 'any' },
      strategy: 'auto',
      task: { type: 'CODE_GENERATION', confidence: 1, source: 'override' },
      features: {
        tools: 1,
        images: 1,
        hasFiles: true,
        fileTokens: 2_000,
        maxTokens: 4_000,
      },
      needs: ['vision', 'document', 'tools', 'jsonSchema', 'streaming'],
      filtered: { retired: 9 },
      providers: ['openai', 'anthropic'],
      versions: plan.versions,
    });
    const candidates = record.candidates as readonly Record<string, unknown>[];
    expect(candidates.map(({ model }) => model)).toEqual(plan.candidates.map(({ model }) => model.id));
    expect(candidates[0]).toMatchObject({
      price: plan.candidates[0]?.price?.version,
      score: expect.any(Number) as number,
      factors: [...Array.from({ length: 4 }, () => expect.any(Number) as number), 1],
      quality: 0.5,
      costPico: Math.round((plan.candidates[0]?.expectedCostUsd ?? 0) * 1e12),
    });
    expect(candidates.map(({ factors }) => factors !== undefined)).toEqual([
      ...Array.from({ length: 3 }, () => true),
      ...Array.from({ length: 3 }, () => false),
    ]);
  });

  it('names the best and the cheapest of all that could serve the request', () => {
    const scores = (value: number) =>
      Object.fromEntries(TASK_TYPES.map((type) => [type, value])) as CatalogModel['scores'];
    const rates = { good: 4n, middling: 2n, poor: 1n };
    const some = { good: 0.9, middling: 0.8, poor: 0.4 };
    const catalog = Object.entries(some).map(([name, value]) =>
      aModel({ id: `openai/${name}`, scores: scores(value) }),
    );
    const prices = new Map(
      Object.entries(rates).map(([name, rate], index) => [
        `openai/${name}`,
        aPrice({ version: index + 1, prices: { inputPicoUsd: 0n, outputPicoUsd: rate * 1_000n } }),
      ]),
    );
    const asked = aRequest({ max_tokens: 10 }, { taskType: 'MATH', quality: 0.85 });
    const made = aRouter({ models: catalog, prices }).plan(asked);
    expect(decisionRecord(made, asked)).toMatchObject({
      target: { quality: 0.85, source: 'request', best: 0.9, threshold: 0.765 },
      candidates: [
        { model: 'openai/middling', costPico: 20_000 },
        { model: 'openai/good', costPico: 40_000 },
      ],
      alternatives: {
        best: { model: 'openai/good', costPico: 40_000 },
        cheapest: { model: 'openai/poor', costPico: 10_000 },
      },
      filtered: { below_target: 1 },
    });
  });

  it('holds no word of the prompt, of tools or of images', () => {
    expect(JSON.stringify(decisionRecord(plan, request))).not.toContain(SECRET);
  });

  it('stays small', () => {
    const prompt = 'Write a Python function that sorts a list, and explain why it is fast';
    const usual = aRequest({ messages: [{ role: 'user', content: prompt }], stream: true, max_tokens: 500 });
    const catalog = Array.from({ length: 60 }, (_, index) =>
      aModel({ id: `${index % 2 ? 'openai' : 'anthropic'}/gpt-6.${index}-sol` }),
    );
    const record = decisionRecord(aRouter({ models: catalog }).plan(usual), usual);
    expect(JSON.stringify(record).length).toBeLessThan(1_700);
  });

  it('stays small, whatever the client writes into its options', () => {
    expect(JSON.stringify(decisionRecord(plan, request)).length).toBeLessThan(2_100);
    const long = {
      ...request,
      options: { ...request.options, models: Array.from({ length: 500 }, () => 'm'.repeat(900)) },
    };
    expect(JSON.stringify(decisionRecord(plan, long)).length).toBeLessThan(3_200);
  });

  it('stays small, however many models the key names: a long list is told from others by its digest', () => {
    const names = Array.from({ length: 50 }, (_, index) => `openai/${'m'.repeat(190)}${index}`);
    const recordOf = (allowedModels: readonly string[]) =>
      decisionRecord({ ...plan, allowedModels }, request).allowed;
    expect(recordOf(['anthropic/*', 'openai/one'])).toEqual(['anthropic/*', 'openai/one']);
    expect(recordOf(names)).toEqual({ count: 50, hash: expect.stringMatching(/^[0-9a-f]{12}$/) });
    expect(recordOf([...names])).toEqual(recordOf(names));
    expect(recordOf(names.with(7, 'openai/other'))).not.toEqual(recordOf(names));
  });
});
