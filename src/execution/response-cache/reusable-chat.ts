import type { JsonObject } from '../../common/index';
import { type AppError, toAppError } from '../../errors/index';
import { type ChatChunk, JsonChunk } from '../../providers/index';
import { decisionRecord, type PlannedModel } from '../../selection/index';
import type { ChatState } from '../chat-state';
import type { Completion } from '../completion';
import { completionMeta } from '../completion-meta';
import { abortError } from '../execution.errors';
import { latticeNote } from '../stream-relay';
import type { StreamSink } from '../stream-sink';
import { chatRefusal } from './chat-refusal';
import type { Flight } from './flight';
import { type AnswerFacts, type KeptAnswer, keptPieces, keptWhole, piecesOf } from './kept-answer';
import { finishReasonOf, RecordingSink } from './recording-sink';
import type { Carried, ReusableWork } from './reusable-work';

/** Finishes of an answer that is whole. */
const WHOLE = new Set(['stop', 'length', 'tool_calls', 'function_call']);

/** A chat whose answer may be given again, in the way it was asked for: whole, or as a stream. */
export class ReusableChat implements ReusableWork<Completion> {
  private recording?: RecordingSink;

  constructor(
    readonly state: ChatState,
    private readonly work: (state: ChatState) => Promise<Completion>,
  ) {}

  get refusal(): string | undefined {
    return chatRefusal(this.state);
  }

  identity(): readonly unknown[] {
    const { body, dialect } = this.state.request;
    return ['chat', dialect, body];
  }

  decision(): JsonObject {
    return decisionRecord(this.state.plan, this.state.request);
  }

  async alone(): Promise<Completion> {
    return await this.work(this.state);
  }

  async carryOut(flight: Flight): Promise<Carried<Completion>> {
    const { sink } = this.state;
    const recording = sink && new RecordingSink(sink, flight);
    this.recording = recording;
    const state = this.state.under(flight.signal, recording);
    const result = await this.work(state);
    const { model } = result.meta;
    return { result, answer: recording ? keptStream(state, model, recording) : keptJson(state, result) };
  }

  detach(error: AppError): void {
    this.recording?.detach(error);
  }

  async giveAgain(planned: PlannedModel, answer: KeptAnswer): Promise<Completion> {
    const meta = completionMeta(this.state, planned);
    const totals = { costPicoUsd: 0n, attempts: 0, usage: answer.usage };
    const { sink } = this.state;
    if (!sink) {
      const body = JSON.parse(answer.bytes.toString()) as JsonObject;
      return { meta, totals, body, rawBody: answer.bytes };
    }
    sink.open(meta);
    await this.play(sink, answer, latticeNote(this.state, planned, '0'));
    sink.end(totals);
    return { meta, totals };
  }

  /** Byte for byte, no faster than the client takes it; only the note is the request's own. */
  private async play(sink: StreamSink, answer: KeptAnswer, note: JsonObject): Promise<void> {
    const { signal } = this.state.ctx;
    let left = answer.ends?.length ?? 0;
    for (const piece of piecesOf(answer)) {
      left -= 1;
      const waiting = sink.write(left === 0 ? noted(piece, note) : new TextChunk(piece));
      if (waiting) await waiting;
      if (!signal.aborted) continue;
      sink.fail(toAppError(abortError(signal)));
      throw abortError(signal);
    }
  }
}

/** Parsed only for the dialects that have to. */
class TextChunk implements ChatChunk {
  constructor(readonly data: string) {}

  get chunk(): JsonObject {
    return JSON.parse(this.data) as JsonObject;
  }
}

function noted(piece: string, lattice: JsonObject): ChatChunk {
  return new JsonChunk({ ...(JSON.parse(piece) as JsonObject), lattice });
}

function keptStream(state: ChatState, model: string, recording: RecordingSink): KeptAnswer | undefined {
  const facts = factsOf(state, model, recording.finishReason);
  const pieces = recording.recorded();
  return facts && pieces && keptPieces(facts, pieces);
}

function keptJson(state: ChatState, { meta, body, rawBody }: Completion): KeptAnswer | undefined {
  const facts = factsOf(state, meta.model, finishReasonOf(body?.choices));
  return facts && keptWhole(facts, rawBody ?? JSON.stringify(body));
}

/** Undefined when the answer is not one that the same request should get again. */
function factsOf(state: ChatState, model: string, finishReason: string | undefined): AnswerFacts | undefined {
  const facts = state.factsOf(model);
  if (!facts || state.stop !== undefined || !WHOLE.has(finishReason ?? '')) return undefined;
  return finishReason === 'length' && !hasReachedLimit(state, facts) ? undefined : facts;
}

/** Under a hard budget an answer may be cut before the limit that was asked for: that is nobody else's answer. */
function hasReachedLimit({ tokens }: ChatState, { usage }: AnswerFacts): boolean {
  const { requestedMaxTokens } = tokens;
  return requestedMaxTokens !== undefined && (usage.completionTokens ?? 0) >= requestedMaxTokens;
}
