import type { EventSourceMessage } from 'eventsource-parser';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../common/index';
import { JsonChunk } from '../../json-chunk';
import type { AttemptReport } from '../../provider.port';
import { failureOf } from '../openai-dialect/errors';
import { EventDecoder } from '../openai-dialect/event-decoder';
import { parsedObject, text } from '../openai-dialect/response';
import {
  type AttemptFacts,
  attemptReport,
  chatFinishReason,
  chatUsage,
  identityOf,
  outputItems,
  toolCallsOf,
} from './response';

/** Some compatible servers add it; the answer's own last event says more. */
const DONE = '[DONE]';

interface Call {
  readonly index: number;
  readonly isCustom: boolean;
  hasInput: boolean;
}

/** The events of a Responses API stream as chunks of a chat completion. */
export class ResponsesDecoder extends EventDecoder {
  /** The items that are whole, in their order. */
  readonly output: JsonObject[] = [];
  private response?: JsonObject;
  private hasRole = false;
  private hasReasoning = false;
  /** By their place in the answer. */
  private readonly calls = new Map<JsonValue | undefined, Call>();

  constructor(private readonly facts: AttemptFacts) {
    super();
  }

  /** There is no end without the event that says so. */
  get isComplete(): boolean {
    return this.isDone;
  }

  report(): AttemptReport {
    return attemptReport(this.response, this.calls.size > 0, this.facts);
  }

  protected onEvent({ data, event: name }: EventSourceMessage): void {
    if (data === DONE) return;
    const event = parsedObject(data);
    const type = text(event?.type) ?? name ?? '';
    if (type === 'error' || isJsonObject(event?.error)) this.failure = failureOf(event);
    else if (!event || !this.read(type, event)) this.malformedLines += 1;
  }

  /** @returns false when the event is not what its type says. Types that are not known here say nothing. */
  private read(type: string, event: JsonObject): boolean {
    switch (type) {
      case 'response.created':
      case 'response.in_progress':
        return this.observe(event.response);
      case 'response.output_item.added':
        return this.beginItem(event);
      case 'response.output_item.done':
        return this.endItem(event);
      case 'response.output_text.delta':
        return this.say('content', event);
      case 'response.refusal.delta':
        return this.say('refusal', event);
      case 'response.reasoning_summary_part.added':
        return !this.hasReasoning || this.say('reasoning_content', { delta: '\n\n' });
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        return this.say('reasoning_content', event);
      case 'response.function_call_arguments.delta':
      case 'response.custom_tool_call_input.delta':
        return this.continueCall(event.output_index, event.delta);
      case 'response.completed':
      case 'response.incomplete':
        return this.finish(event.response);
      case 'response.failed':
        return this.fail(event.response);
      default:
        return true;
    }
  }

  private observe(response: JsonValue | undefined): boolean {
    if (!isJsonObject(response)) return false;
    this.response = response;
    return true;
  }

  private say(field: 'content' | 'refusal' | 'reasoning_content', { delta, logprobs }: JsonObject): boolean {
    if (typeof delta !== 'string') return false;
    if (field === 'reasoning_content') this.hasReasoning = true;
    const content = outputItems(logprobs);
    this.write({ [field]: delta }, content.length > 0 ? { logprobs: { content, refusal: null } } : {});
    return true;
  }

  private beginItem({ item, output_index: place }: JsonObject): boolean {
    if (!isJsonObject(item)) return false;
    const [call] = toolCallsOf({ ...item, arguments: '', input: '' });
    if (!call || this.calls.has(place)) return true;
    const index = this.calls.size;
    this.calls.set(place, { index, isCustom: call.type === 'custom', hasInput: false });
    this.write({ tool_calls: [{ index, ...call }] });
    return true;
  }

  /** The whole item repeats what its deltas brought; it counts where none did. */
  private endItem(event: JsonObject): boolean {
    const { item, output_index: place } = event;
    if (!isJsonObject(item) || !this.beginItem(event)) return false;
    this.output.push(item);
    const call = this.calls.get(place);
    if (!call || call.hasInput) return true;
    return this.continueCall(place, call.isCustom ? item.input : item.arguments);
  }

  private continueCall(place: JsonValue | undefined, input: JsonValue | undefined): boolean {
    const call = this.calls.get(place);
    if (!call || typeof input !== 'string') return false;
    call.hasInput = true;
    const { index, isCustom } = call;
    const piece: JsonObject = isCustom ? { custom: { input } } : { function: { arguments: input } };
    if (input !== '') this.write({ tool_calls: [{ index, ...piece }] });
    return true;
  }

  private finish(response: JsonValue | undefined): boolean {
    if (!this.observe(response)) return false;
    this.write({}, { finish_reason: chatFinishReason(this.report().finishReason) });
    const usage = chatUsage(this.response?.usage);
    if (usage) this.push(new JsonChunk({ ...this.envelope(), choices: [], usage }));
    this.isDone = true;
    return true;
  }

  /** An answer that the provider gave up; what it had counted by then stands in the report. */
  private fail(response: JsonValue | undefined): boolean {
    if (!this.observe(response)) return false;
    this.failure = failureOf(this.response);
    return true;
  }

  private write(delta: JsonObject, more: JsonObject = {}): void {
    if (!this.hasRole) {
      this.hasRole = true;
      this.write({ role: 'assistant', content: '' });
    }
    const choice = { index: 0, delta, logprobs: null, finish_reason: null, ...more };
    this.push(new JsonChunk({ ...this.envelope(), choices: [choice] }));
  }

  private envelope(): JsonObject {
    const { response = {} } = this;
    const { service_tier: tier } = response;
    return { ...identityOf(response), object: 'chat.completion.chunk', service_tier: tier };
  }
}
