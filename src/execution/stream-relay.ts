import { type ChatMessage, type ChatToolCall, isJsonObject, type JsonObject, toApiId } from '../common/index';
import { type ChatChunk, JsonChunk } from '../providers/index';
import type { PlannedModel } from '../selection/index';
import type { AnswerMessage } from './answer';
import { textBytes } from './answer';
import type { ChatState } from './chat-state';
import { bringsAnswer, type ChunkChoice, choicesOf, envelopeOf, withoutCalls } from './chunk-choices';
import type { ReuseNote } from './completion';
import { completionMeta } from './completion-meta';
import { HeldFinish } from './held-finish';
import { ToolCallCollector } from './tool-call-collector';

/** Of chunks that bring nothing yet: no more than so much of them waits. */
const OPENING_CHARS = 16 * 1024;

/**
 * Passes one attempt's chunks to the client as they come, byte for byte where nothing has to change. Held back are the
 * opening chunks, until one brings something of the answer; the closing chunks (finish reason, usage), until the books are
 * closed; and, when server-side tools are on, all tool calls, until it is known whose they are.
 */
export class StreamRelay {
  private readonly calls = new ToolCallCollector();
  private text = '';
  /** UTF-8 bytes of text, without the calls' arguments. */
  private bytes = 0;
  private firstTokenAtMs?: number;
  /** Until something of the answer has come, another model can still take this one's place. */
  private opening: ChatChunk[] = [];
  private openingChars = 0;
  private readonly finish = new HeldFinish();
  /** The latest chunk, for its id and model. */
  private last?: JsonObject;
  private usage?: ChatChunk;

  constructor(
    private readonly state: ChatState,
    private readonly planned: PlannedModel,
  ) {}

  get trace(): { firstTokenAtMs?: number; answerBytes: number } {
    return { firstTokenAtMs: this.firstTokenAtMs, answerBytes: this.bytes + this.calls.bytes };
  }

  /** Reads to the end; waits for a slow client, so that the upstream is read no faster than it is sent on. */
  async pump(chunks: AsyncIterable<ChatChunk>): Promise<void> {
    for await (const chunk of chunks) {
      this.firstTokenAtMs ??= performance.now();
      const waiting = this.relay(chunk);
      if (waiting) await waiting;
    }
    if (!this.state.hasSent) await this.begin();
  }

  message(): AnswerMessage {
    const toolCalls = this.calls.list();
    const message: ChatMessage = {
      role: 'assistant',
      content: this.text === '' && toolCalls.length > 0 ? null : this.text,
      ...(toolCalls.length > 0 ? { tool_calls: toolCalls } : {}),
    };
    return { message, toolCalls };
  }

  /** Sends what was held back: the client's own tool calls, then the finish chunk, then usage when it was asked for. */
  async close(calls: readonly ChatToolCall[], lattice: JsonObject, usage: JsonObject): Promise<void> {
    const { sink } = this.state;
    if (!sink) return;
    this.open();
    const ends = this.finish.chunks;
    const envelope = envelopeOf(ends.at(-1)?.chunk ?? this.last ?? {});
    if (this.state.serverTools.length > 0 && calls.length > 0) {
      const delta = { tool_calls: calls.map((call, index) => ({ index, ...call })) };
      await sink.write(
        new JsonChunk({ ...envelope, choices: [{ index: 0, delta, finish_reason: null }] } as JsonObject),
      );
    }
    const wantsUsage = this.state.request.body.stream_options?.include_usage === true;
    if (!wantsUsage) {
      for (const end of noted(ends, envelope, lattice)) await sink.write(end);
      return;
    }
    for (const end of ends) await sink.write(end);
    await sink.write(
      new JsonChunk({
        ...(this.usage?.chunk ?? envelope),
        choices: [],
        usage: { ...asObject(this.usage?.chunk.usage), ...usage },
        lattice,
      }),
    );
  }

  /** Begins the answer; the second and later rounds find it open. */
  open(): void {
    if (!this.state.sink?.isOpen) this.state.sink?.open(completionMeta(this.state, this.planned));
  }

  private relay(received: ChatChunk): Promise<void> | undefined {
    this.last = received.chunk;
    if (choicesOf(received).length === 0) return this.relayWithoutChoices(received);
    const chunk = this.collect(received);
    const choices = choicesOf(chunk);
    const isFinish = choices.some((choice) => choice.finish_reason);
    return this.send(this.visible(isFinish ? this.holdFinish(chunk, choices) : chunk));
  }

  /** @returns what else is in a chunk that ends choices: that goes now, the reasons at the end. */
  private holdFinish(chunk: ChatChunk, choices: readonly ChunkChoice[]): ChatChunk | undefined {
    const ended = choices.filter((choice) => choice.finish_reason);
    if (ended.length === choices.length && !bringsAnswer(choices)) {
      this.finish.hold(chunk);
      return undefined;
    }
    const later = ended.map((choice) => ({ ...choice, delta: {} }));
    this.finish.hold(new JsonChunk({ ...chunk.chunk, choices: later }));
    const now = choices.map((choice) => ({ ...choice, finish_reason: null }));
    return new JsonChunk({ ...chunk.chunk, choices: now });
  }

  private relayWithoutChoices(chunk: ChatChunk): Promise<void> | undefined {
    if (isJsonObject(chunk.chunk.usage)) {
      this.usage = chunk;
      return undefined;
    }
    return this.send(chunk);
  }

  /** The chunk as it may be shown; undefined when nothing is left of it. */
  private visible(chunk: ChatChunk | undefined): ChatChunk | undefined {
    if (!chunk || this.state.serverTools.length === 0) return chunk;
    const choices = choicesOf(chunk);
    if (!choices.some((choice) => choice.delta?.tool_calls)) return chunk;
    const shown = choices
      .map(({ delta, ...choice }) => ({ ...choice, delta: withoutCalls(delta) }))
      .filter((choice) => Object.keys(choice.delta).length > 0);
    return shown.length > 0 ? new JsonChunk({ ...chunk.chunk, choices: shown }) : undefined;
  }

  /** Reads the chunk. @returns it with its tool calls numbered and named; the same one when nothing had to change. */
  private collect(chunk: ChatChunk): ChatChunk {
    const choices = choicesOf(chunk);
    const collected = choices.map((choice) => this.collectChoice(choice));
    const isAsItCame = collected.every((choice, at) => choice === choices[at]);
    return isAsItCame ? chunk : new JsonChunk({ ...chunk.chunk, choices: collected });
  }

  private collectChoice(choice: ChunkChoice): ChunkChoice {
    const { index = 0, delta } = choice;
    if (!delta) return choice;
    this.bytes += textBytes(delta);
    if (index === 0 && typeof delta.content === 'string') this.text += delta.content;
    if (!delta.tool_calls) return choice;
    const calls = this.calls.add(index, delta.tool_calls);
    return calls === delta.tool_calls ? choice : { ...choice, delta: { ...delta, tool_calls: calls } };
  }

  private send(chunk: ChatChunk | undefined): Promise<void> | undefined {
    if (!chunk) return undefined;
    if (this.state.hasSent) return this.state.sink?.write(chunk);
    this.opening.push(chunk);
    return this.mayWait(chunk) ? undefined : this.begin();
  }

  private mayWait(chunk: ChatChunk): boolean {
    if (bringsAnswer(choicesOf(chunk))) return false;
    this.openingChars += chunk.data.length;
    return this.openingChars <= OPENING_CHARS;
  }

  /** Opens the answer and sends what waited for that: no other model can take this one's place from here on. */
  private async begin(): Promise<void> {
    this.open();
    const { opening } = this;
    this.opening = [];
    for (const chunk of opening) {
      this.state.hasSent = true;
      await this.state.sink?.write(chunk);
    }
  }
}

/** The last chunk tells what the request cost. An upstream that gave no finish reason gets none made up here. */
function noted(ends: readonly ChatChunk[], envelope: JsonObject, lattice: JsonObject): readonly ChatChunk[] {
  const last = ends.at(-1);
  if (last) return [...ends.slice(0, -1), new JsonChunk({ ...last.chunk, lattice })];
  const choices = [{ index: 0, delta: {}, finish_reason: null }];
  return [new JsonChunk({ ...envelope, choices, lattice })];
}

function asObject(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** What the last chunk tells under `lattice`. */
export function latticeNote(state: ChatState, planned: PlannedModel, costUsd: string | null): JsonObject {
  return {
    requestId: toApiId('req', state.ctx.requestId),
    decisionId: toApiId('dec', state.plan.decisionId),
    model: planned.model.id,
    provider: planned.model.provider,
    costUsd,
    attempts: state.attempt,
    ...executionNote(state),
    ...(state.reuse ? cacheNote(state.reuse) : {}),
    ...(state.stop ? { stop: state.stop } : {}),
    ...(state.warnings.length > 0 ? { warnings: state.warnings } : {}),
  };
}

function executionNote({ execution }: ChatState): JsonObject {
  if (!execution) return {};
  const { executionMode, fallbackReason } = execution;
  return fallbackReason ? { executionMode, fallbackReason } : { executionMode };
}

function cacheNote({ status, ageMs }: ReuseNote): JsonObject {
  return { cache: status, ...(ageMs === undefined ? {} : { cacheAgeMs: ageMs }) };
}
