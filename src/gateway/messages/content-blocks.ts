import type { JsonObject } from '../../common/index';
import { EMPTY_BLOCKS, toolUseBlock } from './response';

/** One server-sent event of Anthropic's dialect. */
export function messageEvent(type: string, fields: JsonObject = {}): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

interface Block {
  readonly type: 'text' | 'thinking' | 'tool_use';
  /** Of tool calls, once the upstream has said them. */
  id?: string;
  name?: string;
  /** Not sent yet. */
  pending: string;
  /** A tool call's arguments as sent, to see where they end. */
  sent: string;
  hasStarted: boolean;
}

/**
 * The content of a streamed message. Anthropic's blocks come one after the other, while OpenAI's tool calls may be
 * interleaved: what belongs to a later block waits until the one before it is whole.
 */
export class ContentBlocks {
  /** The first one is being sent, the others wait. */
  private readonly queue: Block[] = [];
  private readonly calls = new Map<number, Block>();
  private index = 0;

  get hasCalls(): boolean {
    return this.calls.size > 0;
  }

  addText(type: 'text' | 'thinking', text: string): void {
    if (text === '') return;
    const last = this.queue.at(-1);
    const block = last?.type === type ? last : this.begin(type);
    block.pending += text;
  }

  /** @param index the call's number in the upstream's answer. */
  addCall(
    index: number,
    piece: { readonly id?: string; readonly name?: string; readonly text: string },
  ): void {
    const block = this.calls.get(index) ?? this.begin('tool_use');
    this.calls.set(index, block);
    block.id ??= piece.id;
    block.name ??= piece.name;
    block.pending += piece.text;
  }

  /** The events that may be sent now; at the end, all that are left. */
  take(isEnd: boolean): string {
    let events = '';
    for (let head = this.queue[0]; head; head = this.queue[0]) {
      if (!isEnd && !isNamed(head)) return events;
      events += this.opened(head) + this.advanced(head);
      const isDone = isEnd || (this.queue.length > 1 && isWhole(head));
      if (!isDone) return events;
      events += messageEvent('content_block_stop', { index: this.index });
      this.queue.shift();
      this.index += 1;
    }
    return events;
  }

  private begin(type: Block['type']): Block {
    const block: Block = { type, pending: '', sent: '', hasStarted: false };
    this.queue.push(block);
    return block;
  }

  private opened(block: Block): string {
    if (block.hasStarted) return '';
    block.hasStarted = true;
    const empty =
      block.type === 'tool_use'
        ? toolUseBlock(block.id ?? '', block.name ?? '', {})
        : EMPTY_BLOCKS[block.type];
    return messageEvent('content_block_start', { index: this.index, content_block: empty });
  }

  private advanced(block: Block): string {
    const { pending: text } = block;
    if (text === '') return '';
    block.pending = '';
    if (block.type === 'tool_use') block.sent += text;
    return messageEvent('content_block_delta', { index: this.index, delta: deltaOf(block.type, text) });
  }
}

function deltaOf(type: Block['type'], text: string): JsonObject {
  switch (type) {
    case 'text':
      return { type: 'text_delta', text };
    case 'thinking':
      return { type: 'thinking_delta', thinking: text };
    case 'tool_use':
      return { type: 'input_json_delta', partial_json: text };
    default:
      return type satisfies never;
  }
}

function isNamed({ type, id, name }: Block): boolean {
  return type !== 'tool_use' || (id !== undefined && name !== undefined);
}

/** Nothing can follow that belongs to it. */
function isWhole({ type, sent }: Block): boolean {
  if (type !== 'tool_use') return true;
  if (!sent.trimEnd().endsWith('}')) return false;
  try {
    JSON.parse(sent);
    return true;
  } catch {
    return false;
  }
}
