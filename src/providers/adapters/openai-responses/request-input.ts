/** The messages of a chat as items of the Responses API: text and each tool call are items of their own there. */
import type { ChatMessage, ChatToolCall, JsonObject, JsonValue } from '../../../common/index';
import { invalidRequest } from '../ai-sdk/invalid-request';
import { inputContent, outputContent } from './request-content';
import type { RecalledThoughts } from './thoughts';

/** What is read of every message, and what answers tell beside their text, which no provider takes back. */
const READ = new Set(['role', 'content', 'phase']);
const TOLD = ['refusal', 'reasoning_content', 'reasoning', 'annotations', 'tool_calls', 'parsed'];
const READ_OF: Readonly<Record<string, ReadonlySet<string>>> = {
  assistant: new Set(TOLD),
  tool: new Set(['tool_call_id', 'name']),
};

/** @throws ValidationError naming a message that has no counterpart. */
export function inputItems(messages: readonly ChatMessage[], thoughts: RecalledThoughts): JsonObject[] {
  const writer = new ItemWriter(thoughts);
  messages.forEach((message, index) => writer.add(message, `messages[${index}]`));
  return writer.items;
}

/** Fields of messages that say something and are not sent, such as `messages[].name`. */
export function unreadMessageFields(messages: readonly ChatMessage[]): string[] {
  const unread = messages.flatMap((message) =>
    Object.keys(message).filter((field) => !isRead(message, field)),
  );
  return [...new Set(unread)].map((field) => `messages[].${field.slice(0, 100)}`);
}

function isRead(message: ChatMessage, field: string): boolean {
  const value = message[field];
  if (value === undefined || value === null || value === '') return true;
  return READ.has(field) || READ_OF[message.role]?.has(field) === true;
}

class ItemWriter {
  readonly items: JsonObject[] = [];
  private readonly customCalls = new Set<string>();

  constructor(private readonly thoughts: RecalledThoughts) {}

  add(message: ChatMessage, path: string): void {
    switch (message.role) {
      case 'system':
      case 'developer':
      case 'user':
        this.items.push({ role: message.role, content: inputContent(message.content) });
        return;
      case 'assistant':
        this.assistant(message, path);
        return;
      case 'tool':
        this.items.push(this.toolOutput(message, path));
        return;
      case 'function':
        throw invalidRequest(`${path}.role`, 'function messages are not supported here; use tools');
      default:
        message.role satisfies never;
    }
  }

  /** In the order in which it was said: the thoughts before the first call stood before the text. */
  private assistant(message: ChatMessage, path: string): void {
    const [first, ...others] = message.tool_calls ?? [];
    const before = first && this.thoughts.get(first);
    const content = outputContent(message);
    const phase: JsonValue | undefined = before?.phase ?? message.phase;
    if (before) this.items.push(...before.reasoning);
    if (content !== undefined) this.items.push({ role: 'assistant', content, phase });
    if (!first) return;
    this.items.push(this.callItem(first, `${path}.tool_calls[0]`));
    others.forEach((call, index) => {
      this.items.push(...(this.thoughts.get(call)?.reasoning ?? []));
      this.items.push(this.callItem(call, `${path}.tool_calls[${index + 1}]`));
    });
  }

  private callItem(call: Partial<ChatToolCall>, path: string): JsonObject {
    const { id, function: fn, custom } = call;
    if (fn) return { type: 'function_call', call_id: id, name: fn.name, arguments: fn.arguments };
    if (!custom) throw invalidRequest(`${path}.type`, 'must be function or custom');
    if (id !== undefined) this.customCalls.add(id);
    return { type: 'custom_tool_call', call_id: id, name: custom.name, input: custom.input };
  }

  private toolOutput({ tool_call_id: id, content }: ChatMessage, path: string): JsonObject {
    if (id === undefined) throw invalidRequest(`${path}.tool_call_id`, 'a tool message must name its call');
    const type = this.customCalls.has(id) ? 'custom_tool_call_output' : 'function_call_output';
    return { type, call_id: id, output: inputContent(content) };
  }
}
