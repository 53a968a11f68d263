/** Random requests and catalogs from a seed: the same ones at every run. */
import type { CatalogModel, InputModality } from '../../../src/catalog/index';
import {
  type ChatBody,
  type ChatRequest,
  type ContentPart,
  type LatticeOptions,
  type ProviderId,
  TASK_TYPES,
} from '../../../src/common/index';
import { aModel, aRequest } from '../factories';
import type { Random } from './random';

const PROVIDERS: readonly ProviderId[] = ['openai', 'anthropic', 'google', 'xai'];
const TEXTS = [
  'Write a Python function that sorts a list of dates',
  'Traceback (most recent call last): TypeError. Why does this fail?',
  'What is 17 * 23 - 4? Show your work step by step.',
  'Translate to French: the weather is nice today',
  '请总结以下文章',
  'Tell me a story about a fox and the sea',
  'Hi',
  'Is "I love it" positive or negative?',
  'Which of these numbers follows: 2, 4, 8? If all cats are mammals, what follows?',
  'Extract all names and dates from the text: Ada met Charles in 1833.',
];
const FILE_TYPES = { document: 'application/pdf', audio: 'audio/mpeg', video: 'video/mp4' } as const;

/** What a request was made to need. */
export interface MadeRequest {
  readonly request: ChatRequest;
  readonly inputs: readonly InputModality[];
  readonly supports: readonly (keyof CatalogModel['supports'])[];
  /** Takes JSON of any shape: a model that knows schemas does too. */
  readonly wantsJsonObject: boolean;
}

/** Each of them with this probability. */
export function someOf<T>(random: Random, from: readonly T[], probability: number): T[] {
  return from.filter(() => random.chance(probability));
}

export function randomModels(random: Random, count: number): CatalogModel[] {
  return Array.from({ length: count }, (_, index) => {
    const provider = random.pick(PROVIDERS);
    const can = (): boolean => random.chance(0.75);
    return aModel({
      id: `${provider}/m${index}`,
      baseModel: `base-${random.int(0, count - 1)}`,
      contextWindowTokens: random.pick([200, 2_000, 128_000]),
      maxOutputTokens: random.pick([100, 16_000]),
      input: ['text', ...someOf(random, ['image', 'document', 'audio', 'video'] as const, 0.7)],
      supports: {
        ...aModel().supports,
        vision: can(),
        tools: can(),
        jsonSchema: can(),
        jsonObject: can(),
        streaming: can(),
        reasoning: can(),
      },
      scores: Object.fromEntries(
        TASK_TYPES.map((type) => [type, Math.round(random.next() * 100) / 100]),
      ) as CatalogModel['scores'],
      speed: random.pick(['fast', 'medium', 'slow'] as const),
      status: random.chance(0.1) ? 'retired' : 'active',
      isDeployment: random.chance(0.1) || undefined,
      allowUnknownPrice: random.chance(0.1) || undefined,
    });
  });
}

/** @param names what a request may name */
export function randomRequest(random: Random, names: readonly string[]): MadeRequest {
  const inputs = someOf(random, ['image', 'document', 'audio', 'video'] as const, 0.12);
  const supports = someOf(random, ['tools', 'streaming'] as const, 0.25);
  const format = random.pick(['none', 'none', 'none', 'json_schema', 'json_object']);
  const isNamed = random.chance(0.25);
  const body: Partial<ChatBody> = {
    model: isNamed
      ? random.pick(names)
      : random.pick(['auto', 'auto', 'auto', 'auto:cheap', 'auto:best', 'auto:fast']),
    messages: [{ role: 'user', content: [textPart(random), ...inputs.map(partOf)] }],
    ...(supports.includes('tools') && { tools: [{ type: 'function', function: { name: 'look' } }] }),
    ...(supports.includes('streaming') && { stream: true }),
    ...(format === 'json_schema' && {
      response_format: { type: format, json_schema: { name: 'a', schema: {} } },
    }),
    ...(format === 'json_object' && { response_format: { type: format } }),
    ...(random.chance(0.4) && { max_tokens: random.pick([1, 50, 500, 20_000]) }),
  };
  return {
    request: aRequest(body, randomOptions(random, names)),
    inputs,
    supports: [
      ...supports,
      ...(inputs.includes('image') ? (['vision'] as const) : []),
      ...(format === 'json_schema' ? (['jsonSchema'] as const) : []),
    ],
    wantsJsonObject: format === 'json_object',
  };
}

function randomOptions(random: Random, names: readonly string[]): Partial<LatticeOptions> {
  return {
    ...(random.chance(0.3) && { taskType: random.pick(TASK_TYPES) }),
    ...(random.chance(0.3) && { fallback: random.pick(['any', 'none', 'same-model'] as const) }),
    ...(random.chance(0.2) && { models: Array.from({ length: 3 }, () => random.pick(names)) }),
    ...(random.chance(0.3) && { quality: (1 + random.int(0, 99)) / 100 }),
  };
}

function textPart(random: Random): ContentPart {
  const long = random.chance(0.08) ? 'word '.repeat(random.pick([100, 1_500])) : '';
  return { type: 'text', text: `${random.pick(TEXTS)} ${random.int(0, 999_999)} ${long}` };
}

function partOf(kind: 'image' | 'document' | 'audio' | 'video'): ContentPart {
  if (kind === 'image') return { type: 'image_url', image_url: { url: 'https://example.org/a.png' } };
  return { type: 'file', file: { file_data: `data:${FILE_TYPES[kind]};base64,AAAA` } };
}
