import {
  type ChatMessage,
  type ChatRequest,
  type ChatTool,
  type PicoUsd,
  type RequestContext,
  requestedMaxTokens,
  type TokenUsage,
} from '../common/index';
import type { Hold, RateLimitState, SettledAttempt } from '../ledger/index';
import type { ExecutionPlan, PlannedModel } from '../selection/index';
import type { AttemptTokens } from './attempt-bounds';
import type { CompletionTotals, StopNote } from './completion';
import type { StreamSink } from './stream-sink';
import { addUsage } from './usage-sum';

const MAX_FALLBACKS = 5;
export const MAX_ATTEMPTS_PER_ROUND = 12;
/** JSON punctuation and role of an appended message, in tokens; the bound counts one per byte. */
const MESSAGE_OVERHEAD = 16;

/** All that changes between the attempts of one request. `CompletionPipeline.run` owns it; nothing else does. */
export class AttemptState {
  messages: readonly ChatMessage[];
  readonly serverTools: readonly ChatTool[];
  /** Where a streamed answer goes. */
  readonly sink?: StreamSink;
  /** Undefined before admission and after the hold was closed. */
  hold?: Hold;
  /** As admission found it. */
  rateLimit?: RateLimitState;
  /** Number of the last attempt that was started; 0 before the first. */
  attempt = 0;
  attemptsThisRound = 0;
  /** Tries of the current candidate in this round. */
  tries = 0;
  /** Attempts that ended and are not booked yet. */
  pending: SettledAttempt[] = [];
  stop?: StopNote;
  /** The current attempt has shown text to the client: no other may take its place. */
  hasSent = false;
  /** Attempts that answered; their usage is what the client is shown, while the cost counts every attempt. */
  answers = 0;
  readonly warnings: string[];
  readonly failures: { readonly model: string; readonly code: string }[] = [];
  private readonly excluded = new Set<string>();
  private addedTokens = 0;
  private costPicoUsd: PicoUsd | undefined = 0n;
  private usage: TokenUsage = {};

  constructor(
    readonly ctx: RequestContext,
    readonly request: ChatRequest,
    readonly plan: ExecutionPlan,
    answer: { readonly serverTools: readonly ChatTool[]; readonly sink?: StreamSink },
  ) {
    this.messages = request.body.messages;
    this.warnings = [...plan.warnings];
    this.serverTools = answer.serverTools;
    this.sink = answer.sink;
    if (answer.serverTools.length > 0)
      this.addedTokens = Buffer.byteLength(JSON.stringify(answer.serverTools));
  }

  get remaining(): readonly PlannedModel[] {
    return this.plan.candidates.filter((planned) => !this.excluded.has(planned.model.id));
  }

  get hasFallback(): boolean {
    return this.remaining.length > 1 && this.excluded.size < MAX_FALLBACKS;
  }

  /** Puts a failed candidate aside. @returns false when none is left. */
  exclude(planned: PlannedModel): boolean {
    const hadFallback = this.hasFallback;
    this.excluded.add(planned.model.id);
    this.tries = 0;
    return hadFallback;
  }

  /** Adds what the caller should know, once each. */
  warn(...warnings: readonly string[]): void {
    for (const warning of warnings) if (!this.warnings.includes(warning)) this.warnings.push(warning);
  }

  startRound(): void {
    this.attemptsThisRound = 0;
    this.tries = 0;
  }

  /** The conversation has gone on by at least one round of server-side tools. */
  get hasAppended(): boolean {
    return this.messages !== this.request.body.messages;
  }

  /** Continues the conversation with the model's message and the tools' answers. */
  append(messages: readonly ChatMessage[]): void {
    this.messages = [...this.messages, ...messages];
    this.addedTokens += messages.reduce(
      (sum, message) => sum + Buffer.byteLength(JSON.stringify(message)) + MESSAGE_OVERHEAD,
      0,
    );
  }

  get tokens(): AttemptTokens {
    const { features } = this.plan.profile;
    return {
      boundPromptTokens: features.boundPromptTokens + this.addedTokens,
      estimatedPromptTokens: features.estimatedPromptTokens + Math.ceil(this.addedTokens / 4),
      requestedMaxTokens: requestedMaxTokens(this.request.body),
      choices: this.request.body.n ?? 1,
      imageCount: features.imageCount,
      hasStoredFiles: features.hasStoredFiles,
    };
  }

  /** Notes the end of an attempt; it is booked with the next ledger call. */
  finish(attempt: SettledAttempt): void {
    this.pending.push(attempt);
    if (attempt.outcome === 'succeeded') {
      this.answers += 1;
      this.usage = addUsage(this.usage, attempt.usage);
    }
    this.costPicoUsd =
      this.costPicoUsd === undefined || attempt.costPicoUsd === undefined
        ? undefined
        : this.costPicoUsd + attempt.costPicoUsd;
  }

  takePending(): SettledAttempt[] {
    const taken = this.pending;
    this.pending = [];
    return taken;
  }

  get totals(): CompletionTotals {
    return { costPicoUsd: this.costPicoUsd, attempts: this.attempt, usage: this.usage, stop: this.stop };
  }
}
