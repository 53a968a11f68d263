import type {
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  SharedV4ProviderOptions,
} from '@ai-sdk/provider';
import type { ConvertedRequest } from '../ai-sdk/request';
import { withLeadingSystem } from '../ai-sdk/leading-system';
import { thinkingBudget } from '../ai-sdk/thinking-budget';
import type { OwnFields } from '../ai-sdk/unread-fields';
import { signatureKey } from './signatures';

const MIN_THINKING_TOKENS = 512;

type GoogleOptions = SharedV4ProviderOptions[string];

/** How a model is told to think: newer ones by an effort, older ones by a number of tokens. */
export interface ThinkingFormat {
  readonly format: 'level' | 'budget';
  readonly minBudget: number;
  readonly maxBudget: number;
}

export interface GoogleContext {
  readonly modelId: string;
  /** Of the thoughts behind the prompt's tool calls, by `signatureKey`. */
  readonly signatures: ReadonlyMap<string, string>;
  /** Undefined for models that do not think; needed only where the caller asks for thinking. */
  readonly thinking?: ThinkingFormat;
}

/**
 * Nothing is read beyond the shared conversion. An image's `detail` has no counterpart: Gemini's resolution counts for
 * all media of a request, and changes what they cost.
 */
export const GOOGLE_FIELDS: OwnFields = { ownFields: [], partFields: [], fileFields: [] };

/** Gemini has no counterpart of a part's or a tool's own options. */
export function googlePartOptions(): undefined {
  return undefined;
}

export function refineForGoogle(request: ConvertedRequest, context: GoogleContext): ConvertedRequest {
  const warnings = [...request.warnings];
  const { options } = request;
  const prompt = withLeadingSystem(options.prompt, warnings);
  const google = thinkingOptions(options, context.thinking, warnings);
  return {
    warnings,
    options: {
      ...options,
      reasoning: google || (context.thinking && options.reasoning === 'none') ? options.reasoning : undefined,
      // The model that answered and the usage so far stand only in the events as they come.
      includeRawChunks: true,
      prompt: joinedTurns(prompt).map((message) => signed(message, context)),
      ...(google && { providerOptions: { google } }),
    },
  };
}

/**
 * Google wants the results of parallel calls in one turn, which OpenAI's dialect writes as a message each, and refuses
 * turns without content.
 */
function joinedTurns(prompt: LanguageModelV4Prompt): LanguageModelV4Prompt {
  const joined: LanguageModelV4Prompt = [];
  for (const message of prompt) {
    const last = joined.at(-1);
    if (message.role === 'tool' && last?.role === 'tool') {
      joined[joined.length - 1] = { ...last, content: [...last.content, ...message.content] };
    } else if (message.role !== 'assistant' || message.content.length > 0) joined.push(message);
  }
  return joined;
}

function signed(
  message: LanguageModelV4Message,
  { modelId, signatures }: GoogleContext,
): LanguageModelV4Message {
  if (message.role !== 'assistant' || signatures.size === 0) return message;
  const content = message.content.map((part) => {
    const thoughtSignature =
      part.type === 'tool-call' ? signatures.get(signatureKey(modelId, part)) : undefined;
    return thoughtSignature ? { ...part, providerOptions: { google: { thoughtSignature } } } : part;
  });
  return { ...message, content };
}

/** The library would take the budget from the largest limit the model has; a small answer then ends before it begins. */
function thinkingOptions(
  { reasoning, maxOutputTokens = 0 }: ConvertedRequest['options'],
  thinking: ThinkingFormat | undefined,
  warnings: string[],
): GoogleOptions | undefined {
  if (!reasoning || reasoning === 'none') return undefined;
  if (!thinking) {
    warnings.push('reasoning_effort was left out: this model does not think');
    return undefined;
  }
  if (thinking.format === 'level') return { thinkingConfig: { includeThoughts: true } };
  const min = Math.max(thinking.minBudget, MIN_THINKING_TOKENS);
  const budget = thinkingBudget(reasoning, maxOutputTokens, { min, max: thinking.maxBudget });
  if (budget !== undefined) return { thinkingConfig: { includeThoughts: true, thinkingBudget: budget } };
  warnings.push(
    `reasoning_effort was left out: this model thinks with at least ${min} tokens, which max_tokens does not leave`,
  );
  return undefined;
}
