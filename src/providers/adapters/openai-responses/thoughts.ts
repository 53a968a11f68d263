/**
 * What a model thought before it called a tool, encrypted by OpenAI, who keeps nothing here. It is kept beside the calls
 * and goes back with them; clients of the chat dialect have no place for it.
 */
import { createHash } from 'node:crypto';
import {
  type ChatToolCall,
  type FunctionToolCall,
  type JsonObject,
  toolArguments,
} from '../../../common/index';
import type { ChatCall, KeptThought, RecallCall } from '../../provider.port';
import { byKey, type KeptThoughts, thoughtKey } from '../ai-sdk/kept-thoughts';
import { text } from '../openai-dialect/response';
import { toolCallsOf } from './response';

/** What stood before one call of an answer. */
export interface Thought {
  /** Reasoning items. */
  readonly reasoning: readonly JsonObject[];
  /** Of the text before the call. */
  readonly phase?: string;
}

type Recalling = RecallCall & Pick<ChatCall, 'recalled'>;

export type RecalledThoughts = ReadonlyMap<ChatToolCall, Thought>;

/** Only who encrypted it can read it: what one account wrote means nothing to another. */
export function accountOf(origin: string, apiKey: string | undefined): string {
  return createHash('sha256')
    .update(JSON.stringify([origin, apiKey ?? '']))
    .digest('base64url');
}

const NOTHING: Thought = { reasoning: [] };

export class CallThoughts {
  constructor(
    private readonly kept: KeptThoughts,
    private readonly account: string,
  ) {}

  /** Keeps what stands between the calls of a whole answer. Never rejects. */
  async keep(call: ChatCall, output: readonly JsonObject[]): Promise<void> {
    await this.kept.keep(call.ownerId, this.thoughtsOf(call, output));
  }

  /** Once for each call of the conversation that has any. Never rejects. */
  async find(call: Recalling): Promise<readonly KeptThought[]> {
    return await this.kept.recall(call, [...this.keysOf(call).values()]);
  }

  /** By the calls of the conversation, those that have any. Never rejects. */
  async recall(call: Recalling): Promise<RecalledThoughts> {
    const keys = this.keysOf(call);
    const found = byKey(await this.find(call));
    const recalled = new Map<ChatToolCall, Thought>();
    for (const [toolCall, key] of keys) {
      const text = found.get(key);
      if (text !== undefined) recalled.set(toolCall, JSON.parse(text) as Thought);
    }
    return recalled;
  }

  /** The provider cannot read them any more: the conversation goes on without. Never rejects. */
  async forget(call: ChatCall): Promise<void> {
    const thought = JSON.stringify(NOTHING);
    const keys = [...this.keysOf(call).values()];
    await this.kept.keep(
      call.ownerId,
      keys.map((key) => ({ key, thought })),
    );
  }

  private keysOf({ model, body }: RecallCall): ReadonlyMap<ChatToolCall, string> {
    const keys = new Map<ChatToolCall, string>();
    for (const call of body.messages.flatMap(({ tool_calls: calls }) => calls ?? [])) {
      const { function: fn } = call;
      if (fn) keys.set(call, this.keyOf(model.upstreamId, call.id, fn));
    }
    return keys;
  }

  private thoughtsOf({ model }: ChatCall, output: readonly JsonObject[]): KeptThought[] {
    const kept: KeptThought[] = [];
    let before: readonly JsonObject[] = [];
    for (const item of output) {
      const [call] = toolCallsOf(item);
      if (!call) {
        before = [...before, item];
        continue;
      }
      const thought = thoughtOf(before);
      before = [];
      const { id, function: fn } = call as Partial<ChatToolCall>;
      if (thought === NOTHING || id === undefined || fn === undefined) continue;
      kept.push({ key: this.keyOf(model.upstreamId, id, fn), thought: JSON.stringify(thought) });
    }
    return kept;
  }

  private keyOf(modelId: string, toolCallId: string, fn: FunctionToolCall['function']): string {
    const input = toolArguments(fn.arguments);
    return thoughtKey({ modelId: `${this.account} ${modelId}`, toolCallId, toolName: fn.name, input });
  }
}

function thoughtOf(items: readonly JsonObject[]): Thought {
  const reasoning = items.filter(isEncrypted).map(asInput);
  const phase = items.map((item) => text(item.phase)).findLast((named) => named !== undefined);
  return reasoning.length > 0 || phase !== undefined ? { reasoning, phase } : NOTHING;
}

function isEncrypted({ type, encrypted_content: content }: JsonObject): boolean {
  return type === 'reasoning' && typeof content === 'string';
}

/** Its `status` is told and not taken. */
function asInput({ id, summary, encrypted_content }: JsonObject): JsonObject {
  return { type: 'reasoning', id, summary: summary ?? [], encrypted_content };
}
