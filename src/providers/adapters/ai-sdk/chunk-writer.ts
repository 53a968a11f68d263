import type { LanguageModelV4StreamPart } from '@ai-sdk/provider';
import type { JsonObject, TokenUsage } from '../../../common/index';
import { JsonChunk } from '../../json-chunk';
import type { ChatChunk, FinishReason } from '../../provider.port';
import { openAiFinishReason } from './finish-reason';
import type { AnswerIdentity } from './response';
import { openAiUsage } from './usage';

/** Writes the parts of a stream as chat.completion.chunk objects: the role first, tool calls numbered as they begin. */
export class ChunkWriter {
  identity: AnswerIdentity;
  readonly #toolIndexes = new Map<string, number>();
  readonly #toolsWithArguments = new Set<string>();
  #hasRole = false;

  constructor(identity: AnswerIdentity) {
    this.identity = identity;
  }

  /** The chunks one part becomes; most parts become one or none. */
  write(part: LanguageModelV4StreamPart): ChatChunk[] {
    if (part.type === 'text-delta') return this.#text('content', part.delta);
    if (part.type === 'reasoning-delta') return this.#text('reasoning_content', part.delta);
    if (part.type === 'tool-input-delta') return this.#toolArguments(part.id, part.delta);
    if (part.type === 'tool-input-start' && !part.providerExecuted) {
      return this.#beginTool(part.id, part.toolName);
    }
    if (part.type === 'tool-call' && !part.providerExecuted) {
      return this.#wholeTool(part.toolCallId, part.toolName, part.input);
    }
    return [];
  }

  /** @param more fields of the choice beside the reason. */
  finish(reason: FinishReason, more: JsonObject = {}): ChatChunk[] {
    return [...this.#role(), this.#chunk({}, { finish_reason: openAiFinishReason(reason), ...more })];
  }

  usage(usage: TokenUsage): ChatChunk[] {
    const figures = openAiUsage(usage);
    return figures ? [new JsonChunk({ ...this.#envelope(), choices: [], usage: figures })] : [];
  }

  #text(field: 'content' | 'reasoning_content', text: string): ChatChunk[] {
    return text ? this.#content({ [field]: text }) : [];
  }

  #content(delta: JsonObject): ChatChunk[] {
    return [...this.#role(), this.#chunk(delta)];
  }

  #role(): ChatChunk[] {
    if (this.#hasRole) return [];
    this.#hasRole = true;
    return [this.#chunk({ role: 'assistant', content: '' })];
  }

  #beginTool(id: string, name: string): ChatChunk[] {
    if (this.#toolIndexes.has(id)) return [];
    const index = this.#toolIndexes.size;
    this.#toolIndexes.set(id, index);
    return this.#content({
      tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }],
    });
  }

  #toolArguments(id: string, text: string): ChatChunk[] {
    const index = this.#toolIndexes.get(id);
    if (index === undefined || !text) return [];
    this.#toolsWithArguments.add(id);
    return this.#content({ tool_calls: [{ index, function: { arguments: text } }] });
  }

  /** The closing part of a call repeats its arguments; they count where no delta brought them. */
  #wholeTool(id: string, name: string, input: string): ChatChunk[] {
    const begun = this.#beginTool(id, name);
    return this.#toolsWithArguments.has(id) ? begun : [...begun, ...this.#toolArguments(id, input || '{}')];
  }

  #chunk(delta: JsonObject, end: JsonObject = { finish_reason: null }): ChatChunk {
    return new JsonChunk({
      ...this.#envelope(),
      choices: [{ index: 0, delta, logprobs: null, ...end }],
    });
  }

  #envelope(): JsonObject {
    const { id, created, model } = this.identity;
    return { id, object: 'chat.completion.chunk', created, model };
  }
}
