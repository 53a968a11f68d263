import type {
  LanguageModelV4CallOptions,
  LanguageModelV4FunctionTool,
  LanguageModelV4ToolChoice,
} from '@ai-sdk/provider';
import type { CatalogModel } from '../../../catalog/index';
import {
  type ChatBody,
  type ChatTool,
  isJsonObject,
  type JsonValue,
  requestedMaxTokens,
} from '../../../common/index';
import { type PartOptions, PromptConverter } from './prompt';

/** What the vendor adds to the shared conversion. */
export interface RequestDialect {
  /** Body fields the vendor reads itself; they cause no warning. */
  readonly ownFields: readonly string[];
  readonly partOptions: PartOptions;
}

export interface ConvertedRequest {
  readonly options: LanguageModelV4CallOptions;
  readonly warnings: readonly string[];
}

type ReasoningEffort = LanguageModelV4CallOptions['reasoning'];
type JsonSchema = LanguageModelV4FunctionTool['inputSchema'];

const EFFORTS: readonly unknown[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'];
const CONVERTED_FIELDS = new Set([
  'model',
  'messages',
  'stream',
  'stream_options',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'top_k',
  'stop',
  'seed',
  'presence_penalty',
  'frequency_penalty',
  'tools',
  'tool_choice',
  'response_format',
  'reasoning_effort',
]);
/** Fields that concern OpenAI's own storage and accounting and never change an answer. */
const INERT_FIELDS = new Set(['user', 'metadata', 'store', 'safety_identifier', 'prompt_cache_key']);
/** What a field has when it asks for nothing. */
const NEUTRAL: Readonly<Record<string, JsonValue>> = {
  n: 1,
  logprobs: false,
  top_logprobs: 0,
  parallel_tool_calls: true,
  service_tier: 'auto',
};

/**
 * A chat completion request as call options of the AI SDK. The output limit is always set: the library has its own
 * default otherwise. @throws ValidationError naming the field that has no counterpart.
 */
export function convertRequest(
  body: ChatBody,
  model: CatalogModel,
  dialect: RequestDialect,
): ConvertedRequest {
  const warnings = ignoredFields(body, dialect.ownFields).map(
    (field) => `${field} is not supported by ${model.id} and was left out`,
  );
  const tools = convertTools(body.tools ?? [], dialect.partOptions, warnings);
  const options: LanguageModelV4CallOptions = {
    prompt: new PromptConverter(dialect.partOptions).convert(body.messages),
    maxOutputTokens: requestedMaxTokens(body) ?? model.maxOutputTokens,
    temperature: numberOf(body.temperature),
    topP: numberOf(body.top_p),
    topK: numberOf(body.top_k),
    presencePenalty: nonZero(body.presence_penalty),
    frequencyPenalty: nonZero(body.frequency_penalty),
    seed: numberOf(body.seed),
    stopSequences: stopSequences(body.stop),
    reasoning: EFFORTS.includes(body.reasoning_effort)
      ? (body.reasoning_effort as ReasoningEffort)
      : undefined,
    responseFormat: responseFormat(body),
    tools: tools.length > 0 ? tools : undefined,
    toolChoice: tools.length > 0 ? toolChoice(body.tool_choice, warnings) : undefined,
  };
  return { options, warnings };
}

function ignoredFields(body: ChatBody, ownFields: readonly string[]): string[] {
  return Object.keys(body).filter((field) => {
    const value = body[field];
    if (value === undefined || value === null || value === NEUTRAL[field]) return false;
    return !CONVERTED_FIELDS.has(field) && !INERT_FIELDS.has(field) && !ownFields.includes(field);
  });
}

function convertTools(
  tools: readonly ChatTool[],
  partOptions: PartOptions,
  warnings: string[],
): LanguageModelV4FunctionTool[] {
  return tools.flatMap((tool) => {
    const spec = tool.function;
    if (tool.type !== 'function' || !spec) {
      warnings.push(`tools of type "${tool.type}" are not supported and were left out`);
      return [];
    }
    return {
      type: 'function' as const,
      name: spec.name,
      description: spec.description,
      inputSchema: (spec.parameters ?? { type: 'object', properties: {} }) as unknown as JsonSchema,
      strict: spec.strict ?? undefined,
      providerOptions: partOptions(tool),
    };
  });
}

function toolChoice(
  choice: JsonValue | undefined,
  warnings: string[],
): LanguageModelV4ToolChoice | undefined {
  if (choice === undefined || choice === null) return undefined;
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { type: choice };
  if (isJsonObject(choice) && isJsonObject(choice.function) && typeof choice.function.name === 'string') {
    return { type: 'tool', toolName: choice.function.name };
  }
  warnings.push('tool_choice of this kind is not supported and was left out');
  return undefined;
}

function responseFormat(body: ChatBody): LanguageModelV4CallOptions['responseFormat'] {
  const format = body.response_format;
  if (format?.type === 'json_object') return { type: 'json' };
  if (format?.type !== 'json_schema' || !format.json_schema) return undefined;
  const { schema, name, description } = format.json_schema;
  return { type: 'json', schema: schema as unknown as JsonSchema, name, description };
}

function stopSequences(stop: ChatBody['stop']): string[] | undefined {
  if (typeof stop === 'string') return [stop];
  return stop && stop.length > 0 ? [...stop] : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** 0 is what providers do without the parameter. */
function nonZero(value: unknown): number | undefined {
  return numberOf(value) || undefined;
}
