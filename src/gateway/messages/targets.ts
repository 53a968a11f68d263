/** What is known of the models that may answer, as far as the conversion of a request depends on it. */
import type { CatalogModel } from '../../catalog/index';
import type { ProviderId } from '../../common/index';

export interface Targets {
  /** One of them may get the converted body as it is, and would refuse fields that OpenAI does not have. */
  readonly speakOpenAi: boolean;
  readonly areAnthropic: boolean;
  /** All of them understand marks of what to cache. */
  readonly cache: boolean;
  /** All of them can be told how much to think. */
  readonly think: boolean;
  readonly maxTokensField: CatalogModel['maxTokensParameter'];
}

/** Their adapters read what they know and leave the rest. */
const CONVERTING: ReadonlySet<ProviderId> = new Set(['anthropic', 'bedrock', 'google']);

const CACHING: ReadonlySet<ProviderId> = new Set(['anthropic', 'bedrock']);

/** Routing may choose any model. */
export const ANY_TARGET: Targets = Object.freeze({
  speakOpenAi: true,
  areAnthropic: false,
  cache: false,
  think: false,
  maxTokensField: 'max_tokens',
});

export function targetsOf(models: readonly CatalogModel[]): Targets {
  const [first] = models;
  if (!first) return ANY_TARGET;
  return {
    speakOpenAi: !models.every(({ provider }) => CONVERTING.has(provider)),
    areAnthropic: models.every(({ provider }) => provider === 'anthropic'),
    cache: models.every(({ provider }) => CACHING.has(provider)),
    think: models.every(({ supports }) => supports.reasoning),
    maxTokensField: first.maxTokensParameter,
  };
}
