import { type ChatMessage, type ChatToolCall, isJsonObject, type JsonObject, toApiId } from '../common/index';
import { type ChatChunk, JsonChunk } from '../providers/index';
import type { PlannedModel } from '../selection/index';
import type { AnswerMessage } from './answer';
import { newToolCallId, textBytes } from './answer';
import type { ChatState } from './chat-state';
import type { ReuseNote } from './completion';
import { completionMeta } from './completion-meta';
import { ToolCallCollector } from './tool-call-collector';

interface Delta extends JsonObject {
  readonly content?: string | null;
  readonly tool_calls?: readonly JsonObject[];
}

interface ChunkChoice extends JsonObject {
  readonly index?: number;
  readonly delta?: Delta;
  readonly finish_reason?: string | null;
}

/**
 * Passes one attempt's chunks to the client as they come, byte for byte where nothing has to change. Held back are the
 * closing chunks (finish reason, usage), until the books are closed, and, when server-side tools are on, all tool calls,
 * until it is known whose they are. Opens the answer with the first chunk.
 */
export class StreamRelay {
  private readonly calls = new ToolCallCollector();
  private text = '';
  private bytes = 0;
  private firstTokenAtMs?: number;
  private finish?: ChatChunk;
  /** The latest chunk, for its id and model. */
  private last?: JsonObject;
  private usage?: ChatChunk;

  constructor(
    private readonly state: ChatState,
    private readonly planned: PlannedModel,
  ) {}

  get trace(): { firstTokenAtMs?: number; answerBytes: number } {
    return { firstTokenAtMs: this.firstTokenAtMs, answerBytes: this.bytes };
  }

  /** Reads to the end; waits for a slow client, so that the upstream is read no faster than it is sent on. */
  async pump(chunks: AsyncIterable<ChatChunk>): Promise<void> {
    for await (const chunk of chunks) {
      this.firstTokenAtMs ??= performance.now();
      const waiting = this.relay(chunk);
      if (waiting) await waiting;
    }
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
    const sink = this.state.sink;
    if (!sink) return;
    this.open();
    const { finish } = this;
    const hidesCalls = this.state.serverTools.length > 0;
    if (hidesCalls && calls.length > 0 && finish) {
      const delta = { tool_calls: calls.map((call, index) => ({ index, ...call })) };
      await sink.write(
        new JsonChunk({ ...finish.chunk, choices: [{ index: 0, delta, finish_reason: null }] }),
      );
    }
    const wantsUsage = this.state.request.body.stream_options?.include_usage === true;
    if (finish) await sink.write(wantsUsage ? finish : new JsonChunk({ ...finish.chunk, lattice }));
    else if (!wantsUsage) await this.writeNote(lattice);
    if (!wantsUsage) return;
    const template = this.usage?.chunk ?? { ...finish?.chunk, choices: [] };
    await sink.write(
      new JsonChunk({
        ...template,
        choices: [],
        usage: { ...asObject(this.usage?.chunk.usage), ...usage },
        lattice,
      }),
    );
  }

  /** An upstream that ended without a finish reason gets none made up here; the note still has a chunk of its own. */
  private async writeNote(lattice: JsonObject): Promise<void> {
    const choices = [{ index: 0, delta: {}, finish_reason: null }];
    await this.state.sink?.write(new JsonChunk({ ...this.last, choices, lattice }));
  }

  /** Begins the answer; the second and later rounds find it open. */
  open(): void {
    if (!this.state.sink?.isOpen) this.state.sink?.open(completionMeta(this.state, this.planned));
  }

  private relay(chunk: ChatChunk): Promise<void> | undefined {
    this.last = chunk.chunk;
    const choices = chunk.chunk.choices as unknown as readonly ChunkChoice[] | undefined;
    if (!choices || choices.length === 0) return this.relayWithoutChoices(chunk);
    this.collect(choices);
    const previous = this.finish;
    const isFinish = choices.some((choice) => choice.finish_reason);
    if (isFinish) {
      this.finish = chunk;
      return previous ? this.send(previous) : this.sendDeltaOf(chunk, choices);
    }
    return this.send(this.visible(chunk, choices));
  }

  /** A finish chunk that also carries text: the text goes now, the reason at the end. */
  private sendDeltaOf(chunk: ChatChunk, choices: readonly ChunkChoice[]): Promise<void> | undefined {
    const hasText = choices.some((choice) => choice.delta && Object.keys(choice.delta).length > 0);
    if (!hasText) {
      this.open();
      return undefined;
    }
    const now = choices.map((choice) => ({ ...choice, finish_reason: null }));
    const later = choices.map((choice) => ({ ...choice, delta: {} }));
    this.finish = new JsonChunk({ ...chunk.chunk, choices: later });
    const shown = new JsonChunk({ ...chunk.chunk, choices: now });
    return this.send(this.visible(shown, now));
  }

  private relayWithoutChoices(chunk: ChatChunk): Promise<void> | undefined {
    if (isJsonObject(chunk.chunk.usage)) {
      this.usage = chunk;
      return undefined;
    }
    return this.send(chunk);
  }

  /** The chunk as it may be shown; undefined when nothing is left of it. */
  private visible(chunk: ChatChunk, choices: readonly ChunkChoice[]): ChatChunk | undefined {
    if (!choices.some((choice) => choice.delta?.tool_calls)) return chunk;
    if (this.state.serverTools.length === 0)
      return this.calls.patched ? new JsonChunk(this.calls.withIds(chunk.chunk)) : chunk;
    const shown = choices
      .map(({ delta, ...choice }) => ({ ...choice, delta: withoutCalls(delta) }))
      .filter((choice) => Object.keys(choice.delta).length > 0);
    return shown.length > 0 ? new JsonChunk({ ...chunk.chunk, choices: shown }) : undefined;
  }

  private collect(choices: readonly ChunkChoice[]): void {
    for (const { index = 0, delta } of choices) {
      if (!delta) continue;
      this.bytes += textBytes(delta);
      if (index === 0 && typeof delta.content === 'string') this.text += delta.content;
      if (delta.tool_calls) this.bytes += this.calls.add(index, delta.tool_calls, newToolCallId);
    }
  }

  private send(chunk: ChatChunk | undefined): Promise<void> | undefined {
    this.open();
    if (!chunk) return undefined;
    this.state.hasSent = true;
    return this.state.sink?.write(chunk);
  }
}

function withoutCalls(delta: Delta | undefined): JsonObject {
  const { tool_calls: _, ...rest } = delta ?? {};
  return rest as JsonObject;
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
