/** The items of a conversation as messages of OpenAI's chat dialect. */
import type { ChatMessage, ChatToolCall, ContentPart, JsonObject } from '../../common/index';
import { invalid } from '../invalid';
import {
  type Conversion,
  isAbsent,
  kindOf,
  nameAt,
  objectAt,
  onlyFields,
  textAt,
} from '../messages/conversion';
import { inputParts, inputText, outputText, simplest } from './request-content';

/** An item, and where it stands in the request. */
export interface PlacedItem {
  readonly item: JsonObject;
  readonly at: string;
}

export function chatMessages(items: readonly PlacedItem[], conversion: Conversion): readonly ChatMessage[] {
  const writer = new MessageWriter(conversion);
  for (const { item, at } of items) writer.add(item, at);
  return writer.end();
}

/** Calls, and the text beside them, are one message in the chat dialect; in this one each is an item. */
class MessageWriter {
  private readonly messages: ChatMessage[] = [];
  /** What the chat dialect does not take in a tool's answer: it goes into a user's turn behind the last of them. */
  private attached: ContentPart[] = [];

  constructor(private readonly conversion: Conversion) {}

  add(item: JsonObject, at: string): void {
    const kind = kindOf(item);
    if (kind !== 'function_call_output') this.flush();
    switch (kind) {
      case '':
      case 'message':
        return this.addMessage(item, at);
      case 'function_call':
        return this.addCall(item, at);
      case 'function_call_output':
        return this.addResult(item, at);
      case 'reasoning':
        return this.conversion.warn('reasoning of earlier turns was left out');
      default:
        return invalid(
          `${at}.type`,
          `is ${kind.slice(0, 100)}; supported here are message, function_call, function_call_output and reasoning`,
        );
    }
  }

  end(): readonly ChatMessage[] {
    this.flush();
    return this.messages;
  }

  private addMessage(item: JsonObject, at: string): void {
    onlyFields(item, ['type', 'role', 'content', 'id', 'status', 'phase'], at);
    const place = `${at}.content`;
    switch (textAt(item.role, `${at}.role`)) {
      case 'user': {
        const content = simplest(inputParts(item.content, place, this.conversion));
        if (content.length === 0 && typeof content !== 'string')
          invalid(place, 'must hold at least one part');
        this.messages.push({ role: 'user', content });
        return;
      }
      case 'assistant':
        return this.addAnswer(outputText(item.content, place, this.conversion));
      case 'system':
      case 'developer':
        // Every model knows `system`, and those that know both take them for the same.
        this.messages.push({ role: 'system', content: inputText(item.content, place, this.conversion) });
        return;
      default:
        invalid(`${at}.role`, 'must be user, assistant, system or developer');
    }
  }

  private addAnswer(text: string): void {
    const last = this.messages.at(-1);
    // Between calls and their results nothing may stand.
    if (last?.tool_calls) this.replaceLast({ ...last, content: textOf(last) + text });
    else this.messages.push({ role: 'assistant', content: text });
  }

  private addCall(item: JsonObject, at: string): void {
    onlyFields(
      item,
      ['type', 'id', 'call_id', 'name', 'arguments', 'status', 'caller', 'parsed_arguments'],
      at,
    );
    directOnly(item, at);
    const call: ChatToolCall = {
      id: nameAt(item.call_id, `${at}.call_id`),
      type: 'function',
      function: {
        name: nameAt(item.name, `${at}.name`),
        arguments: textAt(item.arguments, `${at}.arguments`),
      },
    };
    const last = this.messages.at(-1);
    if (last?.role === 'assistant')
      this.replaceLast({
        ...last,
        content: textOf(last) || null,
        tool_calls: [...(last.tool_calls ?? []), call],
      });
    else this.messages.push({ role: 'assistant', content: null, tool_calls: [call] });
  }

  private addResult(item: JsonObject, at: string): void {
    onlyFields(item, ['type', 'id', 'call_id', 'output', 'status', 'caller', 'name'], at);
    directOnly(item, at);
    const id = nameAt(item.call_id, `${at}.call_id`);
    const parts = inputParts(item.output, `${at}.output`, this.conversion);
    const attached = parts.filter(({ type }) => type !== 'text');
    const text = parts.flatMap((part) => part.text ?? []).join('\n');
    const content = text || (attached.length > 0 ? 'The result is attached below.' : '');
    this.messages.push({ role: 'tool', tool_call_id: id, content });
    if (attached.length > 0)
      this.attached.push({ type: 'text', text: `Result of the tool call ${id}:` }, ...attached);
  }

  private flush(): void {
    if (this.attached.length === 0) return;
    this.messages.push({ role: 'user', content: this.attached });
    this.attached = [];
  }

  private replaceLast(message: ChatMessage): void {
    this.messages[this.messages.length - 1] = message;
  }
}

function directOnly({ caller }: JsonObject, at: string): void {
  if (!isAbsent(caller) && objectAt(caller, `${at}.caller`).type !== 'direct')
    invalid(`${at}.caller`, 'must be direct: tools are called by the model only');
}

function textOf({ content }: ChatMessage): string {
  return typeof content === 'string' ? content : '';
}
