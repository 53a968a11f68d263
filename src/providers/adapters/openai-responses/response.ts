/** An answer of OpenAI's Responses API as a chat completion. */
import { isJsonObject, type JsonObject, type JsonValue } from '../../../common/index';
import type { AttemptReport, ChatResult, FinishReason } from '../../provider.port';
import { text } from '../openai-dialect/response';
import { tokenUsage } from '../openai-dialect/usage';

/** What is known of an attempt beside its answer. */
export interface AttemptFacts {
  readonly upstreamRequestId?: string;
  readonly warnings: readonly string[];
}

/** The result of a parsed `response` object that has come to its end; undefined when it is none. */
export function completionOf(response: JsonObject, facts: AttemptFacts): ChatResult | undefined {
  const { status } = response;
  if (!Array.isArray(response.output) || (status !== 'completed' && status !== 'incomplete'))
    return undefined;
  const output = outputItems(response.output);
  const calls = output.flatMap(toolCallsOf);
  const report = attemptReport(response, calls.length > 0, facts);
  const choice: JsonObject = {
    index: 0,
    message: messageOf(output, calls),
    logprobs: logprobsOf(output),
    finish_reason: chatFinishReason(report.finishReason),
  };
  const body: JsonObject = {
    ...identityOf(response),
    object: 'chat.completion',
    choices: [choice],
    usage: chatUsage(response.usage),
    service_tier: response.service_tier,
  };
  return { report, body };
}

export function outputItems(output: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(output) ? (output as readonly JsonValue[]).filter(isJsonObject) : [];
}

/** What every object of an answer carries. */
export function identityOf(response: JsonObject): JsonObject {
  return { id: response.id, created: response.created_at, model: response.model };
}

export function attemptReport(
  response: JsonObject | undefined,
  hasCalls: boolean,
  { upstreamRequestId, warnings }: AttemptFacts,
): AttemptReport {
  const rawFinishReason = response && rawReason(response);
  return {
    usage: tokenUsage(chatUsage(response?.usage)),
    rawUsage: response?.usage ?? undefined,
    finishReason: finishReason(rawFinishReason, hasCalls),
    rawFinishReason,
    modelServed: text(response?.model),
    upstreamRequestId,
    warnings,
  };
}

/** The counts under the names of the chat dialect; what they mean is the same. */
export function chatUsage(usage: JsonValue | undefined): JsonObject | undefined {
  if (!isJsonObject(usage)) return undefined;
  return {
    prompt_tokens: usage.input_tokens,
    completion_tokens: usage.output_tokens,
    total_tokens: usage.total_tokens,
    prompt_tokens_details: usage.input_tokens_details,
    completion_tokens_details: usage.output_tokens_details,
  };
}

/** The chat dialect has no word for a reason of the provider's own: it is a normal end. */
export function chatFinishReason(reason: FinishReason): string {
  return reason === 'unknown' || reason === 'error' ? 'stop' : reason;
}

function rawReason({ status, incomplete_details: details }: JsonObject): string | undefined {
  return (isJsonObject(details) ? text(details.reason) : undefined) ?? text(status);
}

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  max_output_tokens: 'length',
  content_filter: 'content_filter',
  failed: 'error',
};

function finishReason(raw: string | undefined, hasCalls: boolean): FinishReason {
  if (raw === 'completed') return hasCalls ? 'tool_calls' : 'stop';
  return (raw !== undefined && FINISH_REASONS[raw]) || 'unknown';
}

function messageOf(output: readonly JsonObject[], calls: readonly JsonObject[]): JsonObject {
  const said = textIn(output, 'message', 'text');
  const refusal = textIn(output, 'message', 'refusal');
  const reasoning = reasoningText(output);
  const annotations = partsIn(output, 'message').flatMap(({ annotations: all }) => outputItems(all));
  return {
    role: 'assistant',
    content: said === '' && (calls.length > 0 || refusal !== '') ? null : said,
    refusal: refusal || null,
    ...(reasoning ? { reasoning_content: reasoning } : {}),
    ...(annotations.length > 0 ? { annotations } : {}),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
}

/** A call of the caller's own tools; what the provider runs itself is none. */
export function toolCallsOf(item: JsonObject): JsonObject[] {
  const { type, call_id: id, name } = item;
  if (type === 'function_call')
    return [{ id, type: 'function', function: { name, arguments: item.arguments } }];
  return type === 'custom_tool_call' ? [{ id, type: 'custom', custom: { name, input: item.input } }] : [];
}

function reasoningText(output: readonly JsonObject[]): string {
  const items = output.filter(({ type }) => type === 'reasoning');
  const parts = items.flatMap(({ summary, content }) => [...outputItems(summary), ...outputItems(content)]);
  return parts.map((part) => text(part.text) ?? '').join('\n\n');
}

function textIn(output: readonly JsonObject[], type: string, field: 'text' | 'refusal'): string {
  return partsIn(output, type)
    .map((part) => text(part[field]) ?? '')
    .join('');
}

function partsIn(output: readonly JsonObject[], type: string): readonly JsonObject[] {
  return output.flatMap((item) => (item.type === type ? outputItems(item.content) : []));
}

function logprobsOf(output: readonly JsonObject[]): JsonObject | null {
  const content = partsIn(output, 'message').flatMap(({ logprobs }) => outputItems(logprobs));
  return content.length > 0 ? { content, refusal: null } : null;
}
