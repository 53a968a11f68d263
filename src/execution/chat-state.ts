import {
  type ChatMessage,
  type ChatRequest,
  type ChatTool,
  type DirectUse,
  type RequestContext,
  requestedMaxTokens,
  type WorkType,
} from '../common/index';
import type { KeptThought } from '../providers/index';
import type { ExecutionPlan } from '../selection/index';
import type { AttemptTokens } from './attempt-bounds';
import { AttemptState } from './attempt-state';
import type { CompletionTotals, KeepAnswer, StopNote } from './completion';
import type { StreamSink } from './stream-sink';

/** JSON punctuation and role of an appended message, in tokens; the bound counts one per byte. */
const MESSAGE_OVERHEAD = 16;

/** The state of one chat request: the conversation as far as it has come, and where the answer goes. */
export class ChatState extends AttemptState {
  messages: readonly ChatMessage[];
  readonly serverTools: readonly ChatTool[];
  /** Where a streamed answer goes. */
  readonly sink?: StreamSink;
  stop?: StopNote;
  /** Set for durable work. */
  keep?: KeepAnswer;
  /** The last attempt was allowed less output than was asked, for want of money. */
  isLoweredByBudget = false;
  private addedTokens = 0;
  private thoughts: readonly KeptThought[] = [];
  private thoughtTokens = 0;

  constructor(
    ctx: RequestContext,
    readonly request: ChatRequest,
    override readonly plan: ExecutionPlan,
    answer: { readonly serverTools: readonly ChatTool[]; readonly sink?: StreamSink },
  ) {
    super(ctx, plan, request.warnings);
    this.messages = request.body.messages;
    this.serverTools = answer.serverTools;
    this.sink = answer.sink;
    if (answer.serverTools.length > 0)
      this.addedTokens = Buffer.byteLength(JSON.stringify(answer.serverTools));
  }

  get workType(): WorkType {
    return this.plan.profile.taskType;
  }

  get useDirect(): DirectUse | undefined {
    return this.request.options.useDirect;
  }

  get promptChars(): number {
    return this.plan.profile.features.promptChars;
  }

  /** The conversation has gone on by at least one round of server-side tools. */
  get hasAppended(): boolean {
    return this.messages !== this.request.body.messages;
  }

  /** The same request under another signal, with another way out; this state is not used any more. */
  under(signal: AbortSignal, sink: StreamSink | undefined): ChatState {
    const { serverTools } = this;
    const other = new ChatState({ ...this.ctx, signal }, this.request, this.plan, { serverTools, sink });
    other.takeOver(this);
    other.keep = this.keep;
    return other;
  }

  /** Continues the conversation with the model's message and the tools' answers. */
  append(messages: readonly ChatMessage[]): void {
    this.messages = [...this.messages, ...messages];
    this.addedTokens += messages.reduce(
      (sum, message) => sum + Buffer.byteLength(JSON.stringify(message)) + MESSAGE_OVERHEAD,
      0,
    );
  }

  get hasToolCalls(): boolean {
    return this.messages.some(({ tool_calls: calls }) => (calls?.length ?? 0) > 0);
  }

  /** What the next attempt brings back to its provider beside the body; counted like the conversation. */
  get recalled(): readonly KeptThought[] {
    return this.thoughts;
  }

  set recalled(thoughts: readonly KeptThought[]) {
    this.thoughts = thoughts;
    this.thoughtTokens = thoughts.reduce((sum, { thought }) => sum + Buffer.byteLength(thought), 0);
  }

  get tokens(): AttemptTokens {
    const { features } = this.plan.profile;
    const added = this.addedTokens + this.thoughtTokens;
    return {
      boundPromptTokens: features.boundPromptTokens + added,
      estimatedPromptTokens: features.estimatedPromptTokens + Math.ceil(added / 4),
      requestedMaxTokens: requestedMaxTokens(this.request.body),
      choices: this.request.body.n ?? 1,
      imageCount: features.imageCount,
      hasFiles: features.hasFiles,
    };
  }

  override get totals(): CompletionTotals {
    return { ...super.totals, stop: this.stop };
  }
}
