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
  type JsonObject,
  type JsonValue,
  requestedMaxTokens,
} from '../../../common/index';
import { type PartOptions, PromptConverter } from './prompt';
import { type OwnFields, unreadWarnings } from './unread-fields';

/** What the vendor adds to the shared conversion; its own fields cause no warning here. */
export interface RequestDialect extends OwnFields {
  readonly partOptions: PartOptions;
}

export interface ConvertedRequest {
  readonly options: LanguageModelV4CallOptions;
  readonly warnings: readonly string[];
}

type ReasoningEffort = LanguageModelV4CallOptions['reasoning'];
type JsonSchema = LanguageModelV4FunctionTool['inputSchema'];

const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;
/**
 * A chat completion request as call options of the AI SDK. The output limit is always set: the library has its own
 * default otherwise. Every field is converted, named in the warnings, or refused; one that asks for nothing beyond what
 * happens without it (`store: false`, `n: 1`) needs no warning.
 * @throws ValidationError naming the field that has no counterpart.
 */
export function convertRequest(
  body: ChatBody,
  model: CatalogModel,
  dialect: RequestDialect,
): ConvertedRequest {
  const warnings = unreadWarnings(body, model.id, dialect);
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
    reasoning: reasoningEffort(body.reasoning_effort, warnings),
    responseFormat: responseFormat(body),
    tools: tools.length > 0 ? tools : undefined,
    toolChoice: toolChoice(body.tool_choice, tools.length > 0, warnings),
  };
  return { options, warnings };
}

function reasoningEffort(value: JsonValue | undefined, warnings: string[]): ReasoningEffort {
  const effort = EFFORTS.find((known) => known === value);
  if (!effort && value !== undefined && value !== null) {
    warnings.push(`reasoning_effort was left out: it is none of ${EFFORTS.join(', ')}`);
  }
  return effort;
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
  hasTools: boolean,
  warnings: string[],
): LanguageModelV4ToolChoice | undefined {
  if (choice === undefined || choice === null) return undefined;
  if (!hasTools) {
    if (choice !== 'auto' && choice !== 'none') {
      warnings.push('tool_choice was left out: there is no tool to choose');
    }
    return undefined;
  }
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
  const described = schema && description ? describedSchema(schema, description) : schema;
  return { type: 'json', schema: described as unknown as JsonSchema, name, description };
}

/** The libraries pass a schema on, and not what it is said to be for. */
function describedSchema(schema: JsonObject, description: string): JsonObject {
  const { description: own } = schema;
  return { ...schema, description: typeof own === 'string' ? `${description}\n${own}` : description };
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
