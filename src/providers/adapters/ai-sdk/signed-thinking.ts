/**
 * Claude signs its thinking and, while tools are called, wants it back unchanged before the calls. Kept by the calls of a
 * turn and put back into the turns behind the last message of the user; the provider ignores older ones.
 */
import type {
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4ReasoningPart,
  LanguageModelV4ToolCallPart,
} from '@ai-sdk/provider';
import { isJsonObject, type JsonObject, toolArguments } from '../../../common/index';
import type { ChatCall, KeptThought } from '../../provider.port';
import type { AnswerPart, AnswerWatch } from './answer-watch';
import { type KeptThoughts, thoughtKey } from './kept-thoughts';

/** Under which name the library keeps a signature. */
type Namespace = 'anthropic' | 'bedrock';
type Own = Pick<ChatCall, 'ownerId' | 'model' | 'recalled'>;

interface Thinking {
  text: string;
  signature?: string;
  redactedData?: string;
}

export class ThinkingWatch implements AnswerWatch {
  readonly #thinking = new Map<string, Thinking>();
  #firstCall?: string;

  constructor(
    private readonly namespace: Namespace,
    private readonly call: Own,
    private readonly thoughts: KeptThoughts,
  ) {}

  take(part: AnswerPart): void {
    if (part.type === 'reasoning') this.#add(String(this.#thinking.size), part.text, part.providerMetadata);
    if (part.type === 'reasoning-start') this.#add(part.id, '', part.providerMetadata);
    if (part.type === 'reasoning-delta') this.#add(part.id, part.delta, part.providerMetadata);
    if (part.type === 'tool-call') {
      this.#firstCall ??= keyOf(this.call, { ...part, input: toolArguments(part.input) });
    }
  }

  async end(): Promise<void> {
    const thinking = [...this.#thinking.values()].filter(isSigned);
    if (this.#firstCall === undefined || thinking.length === 0) return;
    await this.thoughts.keep(this.call.ownerId, [
      { key: this.#firstCall, thought: JSON.stringify(thinking) },
    ]);
  }

  #add(id: string, text: string, metadata: Readonly<Record<string, unknown>> | undefined): void {
    const block = this.#thinking.get(id) ?? { text: '' };
    const own = metadata?.[this.namespace];
    const { signature, redactedData } = isJsonObject(own) ? own : ({} as JsonObject);
    block.text += text;
    if (typeof signature === 'string') block.signature = signature;
    if (typeof redactedData === 'string') block.redactedData = redactedData;
    this.#thinking.set(id, block);
  }
}

type AssistantTurn = Extract<LanguageModelV4Message, { role: 'assistant' }>;

const NOTHING: ReadonlyMap<AssistantTurn, KeptThought> = new Map();

/** The turns with tool calls behind the last message of the user. */
export function openTurns(prompt: LanguageModelV4Prompt): readonly AssistantTurn[] {
  const begin = prompt.findLastIndex((message) => message.role === 'user') + 1;
  return prompt
    .slice(begin)
    .flatMap((message) => (message.role === 'assistant' && message.content.some(isCall) ? [message] : []));
}

/** Of every open turn, or of none: the provider takes no half. Asks for nothing when no tool round is open. */
export async function thinkingFor(
  prompt: LanguageModelV4Prompt,
  call: Own,
  thoughts: KeptThoughts,
): Promise<ReadonlyMap<AssistantTurn, KeptThought>> {
  const turns = openTurns(prompt).map((turn) => ({
    turn,
    keys: turn.content.filter(isCall).map((part) => keyOf(call, part)),
  }));
  if (turns.length === 0) return NOTHING;
  const found = await thoughts.recall(
    call,
    turns.flatMap(({ keys }) => keys),
  );
  const complete = new Map<AssistantTurn, KeptThought>();
  for (const { turn, keys } of turns) {
    const thought = found.find(({ key }) => keys.includes(key));
    if (thought === undefined) return NOTHING;
    complete.set(turn, thought);
  }
  return complete;
}

export async function recallThinking(
  prompt: LanguageModelV4Prompt,
  { namespace, call, thoughts }: { namespace: Namespace; call: Own; thoughts: KeptThoughts },
): Promise<LanguageModelV4Prompt> {
  const thinking = await thinkingFor(prompt, call, thoughts);
  if (thinking.size === 0) return prompt;
  return prompt.map((message) => {
    if (message.role !== 'assistant') return message;
    const kept = thinking.get(message);
    return kept ? withThinking(message, kept.thought, namespace) : message;
  });
}

function isCall(part: AssistantTurn['content'][number]): part is LanguageModelV4ToolCallPart {
  return part.type === 'tool-call';
}

function withThinking(turn: AssistantTurn, thought: string, namespace: Namespace): AssistantTurn {
  const parts = (JSON.parse(thought) as readonly Thinking[]).map(
    ({ text, signature, redactedData }): LanguageModelV4ReasoningPart => ({
      type: 'reasoning',
      text,
      providerOptions: {
        [namespace]: signature === undefined ? { redactedData: redactedData ?? '' } : { signature },
      },
    }),
  );
  return { ...turn, content: [...parts, ...turn.content] };
}

function isSigned({ signature, redactedData }: Thinking): boolean {
  return signature !== undefined || redactedData !== undefined;
}

function keyOf(
  { model }: Own,
  part: { readonly toolCallId: string; readonly toolName: string; readonly input: unknown },
): string {
  const { toolCallId, toolName, input } = part;
  return thoughtKey({ modelId: model.upstreamId, toolCallId, toolName, input });
}
