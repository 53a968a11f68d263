import type {
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  SharedV4ProviderOptions,
} from '@ai-sdk/provider';
import type { ConvertedRequest } from '../ai-sdk/request';
import { withLeadingSystem } from '../ai-sdk/leading-system';
import type { ThoughtSignatures } from './thought-signatures';

const MIN_THINKING_TOKENS = 512;
/** Room for the answer itself beside the thinking. */
const MIN_ANSWER_TOKENS = 256;
const SHARE_OF_LIMIT: Readonly<Record<string, number>> = { minimal: 0.1, low: 0.2, medium: 0.5, high: 0.8 };
const LARGEST_SHARE = 0.9;

type GoogleOptions = SharedV4ProviderOptions[string];

/** How a model is told to think: newer ones by an effort, older ones by a number of tokens. */
export interface ThinkingFormat {
  readonly format: 'level' | 'budget';
  readonly minBudget: number;
  readonly maxBudget: number;
}

export interface GoogleContext {
  readonly modelId: string;
  readonly signatures: ThoughtSignatures;
  /** Undefined for models that do not think; needed only where the caller asks for thinking. */
  readonly thinking?: ThinkingFormat;
}

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
  if (message.role !== 'assistant') return message;
  const content = message.content.map((part) => {
    const thoughtSignature = part.type === 'tool-call' ? signatures.find({ ...part, modelId }) : undefined;
    return thoughtSignature ? { ...part, providerOptions: { google: { thoughtSignature } } } : part;
  });
  return { ...message, content };
}

/**
 * Thoughts count against the output limit, which is what the caller asked for and what was reserved. The library
 * would take the budget from the largest limit the model has; a small answer then ends before it begins.
 */
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
  const largest = Math.min(thinking.maxBudget, maxOutputTokens - MIN_ANSWER_TOKENS);
  const smallest = Math.max(thinking.minBudget, MIN_THINKING_TOKENS);
  if (largest < smallest) {
    warnings.push(
      `reasoning_effort was left out: this model thinks with at least ${smallest} tokens, which max_tokens does not leave`,
    );
    return undefined;
  }
  const wanted = Math.floor(maxOutputTokens * (SHARE_OF_LIMIT[reasoning] ?? LARGEST_SHARE));
  const thinkingBudget = Math.min(largest, Math.max(smallest, wanted));
  return { thinkingConfig: { includeThoughts: true, thinkingBudget } };
}
