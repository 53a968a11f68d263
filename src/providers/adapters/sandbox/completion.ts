import type { JsonObject, TokenUsage } from '../../../common/index';
import { JsonChunk } from '../../json-chunk';
import type { AttemptReport, ChatCall, ChatChunk, FinishReason } from '../../provider.port';
import type { SandboxChoice } from './answer';
import { promptTokens } from './tokens';

/** A planned answer in OpenAI's dialect, whole or in chunks. */
export class SandboxCompletion {
  readonly #usage: TokenUsage & { promptTokens: number; completionTokens: number };
  readonly #envelope: JsonObject;

  constructor(
    private readonly call: ChatCall,
    private readonly choices: readonly SandboxChoice[],
  ) {
    const completionTokens = choices.reduce((sum, choice) => sum + choice.completionTokens, 0);
    this.#usage = { promptTokens: promptTokens(call.body), completionTokens };
    this.#envelope = {
      id: `chatcmpl-sandbox-${call.requestId}`,
      created: Math.floor(Date.now() / 1000),
      model: call.model.id,
      system_fingerprint: 'sandbox',
    };
  }

  body(): JsonObject {
    return {
      ...this.#envelope,
      object: 'chat.completion',
      choices: this.choices.map((choice, index) => ({
        index,
        message: message(choice),
        logprobs: null,
        finish_reason: choice.finishReason,
      })),
      usage: this.#rawUsage(),
    };
  }

  *chunks(): Generator<ChatChunk> {
    for (const [index, choice] of this.choices.entries()) {
      yield this.#delta(index, { role: 'assistant', content: choice.toolCalls.length > 0 ? null : '' });
      for (const piece of choice.pieces) yield this.#delta(index, { content: piece });
      for (const [at, call] of choice.toolCalls.entries()) {
        const { name, arguments: args } = call.function;
        const begun = { index: at, id: call.id, type: 'function', function: { name, arguments: '' } };
        yield this.#delta(index, { tool_calls: [begun] });
        yield this.#delta(index, { tool_calls: [{ index: at, function: { arguments: args } }] });
      }
      yield this.#delta(index, {}, choice.finishReason);
    }
    if (this.call.body.stream_options?.include_usage) {
      yield this.#chunk({ choices: [], usage: this.#rawUsage() });
    }
  }

  /** Like a provider that sends its usage last: until the answer is whole, nothing is known. */
  report(isWhole: boolean): AttemptReport {
    const modelServed = this.call.model.upstreamId;
    if (!isWhole) return { usage: {}, finishReason: 'unknown', modelServed, warnings: [] };
    const reasons = this.choices.map((choice) => choice.finishReason);
    const finishReason: FinishReason = reasons[0] ?? 'unknown';
    return {
      usage: this.#usage,
      rawUsage: this.#rawUsage(),
      finishReason,
      rawFinishReason: finishReason,
      modelServed,
      warnings: [],
    };
  }

  #rawUsage(): JsonObject {
    const { promptTokens: prompt, completionTokens: completion } = this.#usage;
    return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
  }

  #delta(index: number, delta: JsonObject, finishReason: string | null = null): ChatChunk {
    return this.#chunk({ choices: [{ index, delta, logprobs: null, finish_reason: finishReason }] });
  }

  #chunk(fields: JsonObject): ChatChunk {
    return new JsonChunk({ ...this.#envelope, object: 'chat.completion.chunk', ...fields });
  }
}

function message(choice: SandboxChoice): JsonObject {
  const { pieces, toolCalls } = choice;
  return {
    role: 'assistant',
    content: toolCalls.length > 0 ? null : pieces.join(''),
    refusal: null,
    ...(toolCalls.length > 0 && { tool_calls: toolCalls }),
  };
}
