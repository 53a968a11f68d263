/** The shape of one YAML file below `config/catalog`. Every field but `id` may be left out where a default or an earlier file gives it. */
import { z } from 'zod';
import { PROVIDER_IDS, TASK_TYPES } from '../../common/index';
import { TOOLS_APIS } from '../model';

const PROVIDERS = new Set<string>(PROVIDER_IDS);

const modelId = z
  .string()
  .refine((id) => PROVIDERS.has(id.slice(0, id.indexOf('/'))) && /^\S+\/\S+$/.test(id), {
    error: `must be provider/model with one of the providers ${PROVIDER_IDS.join(', ')}`,
  });
const MAX_TOKENS = 100_000_000;
const MAX_MS = 3_600_000;
const tokens = whole('tokens', MAX_TOKENS);
const milliseconds = whole('milliseconds', MAX_MS);
const score = z.number().min(0).max(1);
const usd = z
  .string({ error: 'must be a quoted decimal of US dollars per million tokens, such as "0.15"' })
  .regex(/^\d{1,9}(\.\d{1,12})?$/, 'must be a decimal of US dollars per million tokens, such as "0.15"');

const rates = {
  input: usd,
  output: usd,
  cachedRead: usd.optional(),
  cacheWrite: usd.optional(),
  cacheWriteOneHour: usd.optional(),
};
const price = z.strictObject({
  ...rates,
  /** First day (UTC) on which this price holds. */
  from: z.iso.date('must be a day such as 2026-12-01').optional(),
  tiers: z.array(z.strictObject({ fromPromptTokens: tokens, ...rates })).optional(),
});

const scores = z.strictObject(Object.fromEntries(TASK_TYPES.map((type) => [type, score] as const)));
const supports = z.strictObject({
  tools: z.boolean(),
  parallelTools: z.boolean(),
  jsonObject: z.boolean(),
  jsonSchema: z.boolean(),
  reasoning: z.boolean(),
  streaming: z.boolean(),
  sampling: z.boolean(),
});
const timeouts = z.strictObject({
  connectMs: milliseconds,
  firstByteMs: milliseconds,
  idleMs: milliseconds,
  totalMs: milliseconds,
});

const MAX_QUEUE_MS = 600_000;
const MAX_QUEUE_LENGTH = 100_000;
/** What the provider has agreed to take of this installation. */
const capacity = z.strictObject({
  requestsPerMinute: whole('requests', 10_000_000),
  tokensPerMinute: whole('tokens', 100_000_000_000),
  concurrency: whole('requests', 100_000),
  queueMs: whole('milliseconds', MAX_QUEUE_MS, 0),
  queueLength: whole('calls', MAX_QUEUE_LENGTH, 0),
});
const providers = z.partialRecord(
  z.enum(PROVIDER_IDS),
  z.strictObject({ capacity: capacity.partial().optional(), timeouts: timeouts.partial().optional() }),
  {
    error: ({ code }: { readonly code: string }) =>
      code === 'unrecognized_keys' ? `must name providers: ${PROVIDER_IDS.join(', ')}` : undefined,
  },
);

const dimensions = whole('dimensions', 100_000);
const embedding = z.strictObject({
  /** Length of a vector when the request names none. */
  dimensions,
  allowedDimensions: z.array(dimensions).min(1),
  minDimensions: dimensions,
  maxBatch: whole('inputs', 100_000),
  maxBatchTokens: tokens,
  takesTokens: z.boolean(),
  hasInputTypes: z.boolean(),
  cutsLongTexts: z.boolean(),
  hasBase64: z.boolean(),
  quality: score,
});

const fields = {
  displayName: z.string().min(1),
  upstreamId: z.string().min(1),
  baseModel: z.string().min(1),
  /** Makes the model an embedding model: it embeds and does not chat. */
  embedding: embedding.partial(),
  contextWindowTokens: tokens,
  maxOutputTokens: tokens,
  /** The most one image can count; for models that count far above the usual. */
  maxImageTokens: tokens,
  input: z.array(z.enum(['text', 'image', 'audio', 'video', 'document'])).min(1),
  supports: supports.partial(),
  /** Name of a table under `tiers`, for the scores that are not given here. */
  tier: z.string(),
  scores: scores.partial(),
  speed: z.enum(['fast', 'medium', 'slow']),
  size: z.enum(['small', 'large', 'local']),
  maxTokensParameter: z.enum(['max_tokens', 'max_completion_tokens']),
  /** `responses` for models that refuse tools over Chat Completions; openai and azure only. */
  toolsApi: z.enum(TOOLS_APIS),
  /** For deployments that count the tokens of a stream only when asked to, or that refuse to be asked. */
  asksStreamUsage: z.boolean(),
  status: z.enum(['active', 'deprecated', 'retired']),
  successor: modelId,
  aliases: z.array(z.string().min(1)),
  timeouts: timeouts.partial(),
  capacity: capacity.partial(),
  priceId: z
    .string()
    .regex(/^[^/]+\/.+$/, 'must be the provider and the model id of genai-prices, such as openai/gpt-6-sol'),
  price: z.union([price, z.array(price).min(1)]),
  allowUnknownPrice: z.boolean(),
};
const patch = z.strictObject(fields).partial();
const model = patch.extend({ id: modelId });

export const catalogFileSchema = z.strictObject({
  /** Where the facts of this file come from. */
  source: z.string().optional(),
  tiers: z.record(z.string(), scores).optional(),
  /** What holds for all models of a provider together. */
  providers: providers.optional(),
  /** For every model and deployment that this file introduces. */
  defaults: patch.optional(),
  models: z.array(model).optional(),
  /** Models under a name of the installation; what is not given follows `base`. */
  deployments: z.array(model.extend({ base: modelId })).optional(),
});

/** What must be there once defaults, tiers and overrides are merged. */
export const completeModelSchema = model.required({
  contextWindowTokens: true,
  maxOutputTokens: true,
  speed: true,
  size: true,
});

/** The same for an embedding model, which answers with vectors of a known length. */
export const completeEmbeddingSchema = model
  .extend({ embedding: embedding.partial().required({ maxBatch: true, quality: true }) })
  .required({ contextWindowTokens: true, speed: true, size: true });

function whole(unit: string, max: number, min = 1): z.ZodInt {
  const error = `must be a whole number of ${unit} from ${min} to ${max}`;
  return z.int(error).min(min, error).max(max, error);
}

export type CatalogFile = z.infer<typeof catalogFileSchema>;
export type ModelEntry = z.infer<typeof model> & { readonly base?: string };
export type CompleteEntry = z.infer<typeof completeModelSchema>;
export type CompleteEmbeddingEntry = z.infer<typeof completeEmbeddingSchema>;
export type PriceEntry = z.infer<typeof price>;
export type CapacityEntry = Partial<z.infer<typeof capacity>>;
export type TimeoutsEntry = Partial<z.infer<typeof timeouts>>;
export type TierTables = Readonly<Record<string, z.infer<typeof scores>>>;
