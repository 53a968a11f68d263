import type { JsonObject } from '../../common/index';
import { type Item, itemId, itemJson, type ItemStatus, type TextKind, textPart } from './items';

/** Numbers the events of one stream. */
export class ResponseEvents {
  private next = 0;

  write(type: string, fields: JsonObject): string {
    return `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: this.next++, ...fields })}\n\n`;
  }
}

/** The events and fields that carry a kind of text. */
const TEXTS = {
  output_text: {
    part: 'response.content_part',
    text: 'response.output_text',
    whole: 'text',
    index: 'content_index',
  },
  refusal: {
    part: 'response.content_part',
    text: 'response.refusal',
    whole: 'refusal',
    index: 'content_index',
  },
  summary_text: {
    part: 'response.reasoning_summary_part',
    text: 'response.reasoning_summary_text',
    whole: 'text',
    index: 'summary_index',
  },
} as const satisfies Record<TextKind, object>;

interface OpenText {
  readonly kind: TextKind;
  /** In the output. */
  readonly index: number;
  text: string;
}

interface OpenCall {
  readonly kind: 'function_call';
  /** In the output, once it stands there. */
  index?: number;
  callId?: string;
  name?: string;
  arguments: string;
}

/** A piece of a tool call, as the upstream sends it. */
export interface CallPiece {
  readonly id?: string;
  readonly name?: string;
  readonly text: string;
}

/**
 * The output of a streamed response, and the events that tell of it. Texts follow one another; calls stay open to the
 * end, because upstreams may interleave them.
 */
export class OutputStream {
  private readonly open: (OpenText | OpenCall)[] = [];
  private readonly calls = new Map<number, OpenCall>();
  private text?: OpenText;

  constructor(
    private readonly requestId: string,
    private readonly events: ResponseEvents,
  ) {}

  get items(): readonly Item[] {
    return this.open.map((item) => asItem(item));
  }

  addText(kind: TextKind, piece: string): string {
    if (piece === '') return '';
    let events = '';
    if (this.text?.kind !== kind) events += this.closeText('completed') + this.openText(kind);
    const { text } = this;
    if (!text) return events;
    text.text += piece;
    const fields = { ...this.placeOf(text), delta: piece, ...logprobs(kind) };
    return events + this.events.write(`${TEXTS[kind].text}.delta`, fields);
  }

  /** @param number the call's number in the upstream's answer. */
  addCall(number: number, { id, name, text }: CallPiece): string {
    let call = this.calls.get(number);
    if (!call) this.calls.set(number, (call = { kind: 'function_call', arguments: '' }));
    call.callId ??= id;
    call.name ??= name;
    let pending = text;
    let events = '';
    if (call.index === undefined) {
      pending = call.arguments + text;
      call.arguments = pending;
      if (call.callId === undefined || call.name === undefined) return '';
      events = this.openCall(call);
    } else call.arguments += text;
    if (pending === '') return events;
    const fields = { ...this.itemPlace(call, call.index ?? 0), delta: pending };
    return events + this.events.write('response.function_call_arguments.delta', fields);
  }

  /** @param status of the last item: whole, or cut short. */
  finish(status: ItemStatus): string {
    const last = this.open.at(-1);
    let events = this.closeText(this.text === last ? status : 'completed');
    for (const call of this.calls.values()) {
      if (call.index === undefined) continue;
      events += this.closeCall(call, call.index, call === last ? status : 'completed');
    }
    return events;
  }

  private openText(kind: TextKind): string {
    const text: OpenText = { kind, index: this.open.length, text: '' };
    this.open.push(text);
    this.text = text;
    const part = { ...this.placeOf(text), part: textPart(kind, '') };
    return (
      this.itemEvent('added', text, text.index, 'in_progress') +
      this.events.write(`${TEXTS[kind].part}.added`, part)
    );
  }

  private closeText(status: ItemStatus): string {
    const { text } = this;
    if (!text) return '';
    this.text = undefined;
    const { kind } = text;
    const { whole, text: name, part } = TEXTS[kind];
    const place = this.placeOf(text);
    return (
      this.events.write(`${name}.done`, { ...place, [whole]: text.text, ...logprobs(kind) }) +
      this.events.write(`${part}.done`, { ...place, part: textPart(kind, text.text) }) +
      this.itemEvent('done', text, text.index, status)
    );
  }

  private openCall(call: OpenCall): string {
    const events = this.closeText('completed');
    call.index = this.open.length;
    this.open.push(call);
    return events + this.itemEvent('added', { ...call, arguments: '' }, call.index, 'in_progress');
  }

  private closeCall(call: OpenCall, index: number, status: ItemStatus): string {
    const fields = { ...this.itemPlace(call, index), name: call.name, arguments: call.arguments };
    return (
      this.events.write('response.function_call_arguments.done', fields) +
      this.itemEvent('done', call, index, status)
    );
  }

  private itemEvent(
    what: 'added' | 'done',
    item: OpenText | OpenCall,
    index: number,
    status: ItemStatus,
  ): string {
    const json = itemJson(asItem(item), itemId(this.requestId, item.kind, index), status);
    return this.events.write(`response.output_item.${what}`, { output_index: index, item: json });
  }

  private itemPlace({ kind }: OpenText | OpenCall, index: number): JsonObject {
    return { item_id: itemId(this.requestId, kind, index), output_index: index };
  }

  /** Every item has one part. */
  private placeOf(text: OpenText): JsonObject {
    return { ...this.itemPlace(text, text.index), [TEXTS[text.kind].index]: 0 };
  }
}

function asItem(item: OpenText | OpenCall): Item {
  if (item.kind !== 'function_call') return { kind: item.kind, text: item.text };
  const { kind, callId = '', name = '', arguments: text } = item;
  return { kind, callId, name, arguments: text };
}

function logprobs(kind: TextKind): JsonObject {
  return kind === 'output_text' ? { logprobs: [] } : {};
}
