import type {
  LanguageModelV4FilePart,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4TextPart,
  LanguageModelV4ToolResultPart,
  SharedV4ProviderOptions,
} from '@ai-sdk/provider';
import {
  type ChatMessage,
  type ChatToolCall,
  type ContentPart,
  type JsonObject,
  messageText,
  toolArguments,
} from '../../../common/index';
import { filePart, imagePart } from './file-part';
import { invalidRequest } from './invalid-request';

/** Vendor options of a message part or tool, e.g. Anthropic's `cache_control` that a client wrote beside it. */
export type PartOptions = (part: JsonObject) => SharedV4ProviderOptions | undefined;

/** Reads only what the dialects share: `name` fields and image `detail` have no counterpart. */
export class PromptConverter {
  readonly #toolNames = new Map<string, string>();

  constructor(private readonly partOptions: PartOptions) {}

  convert(messages: readonly ChatMessage[]): LanguageModelV4Prompt {
    return messages.map((message, index) => this.#message(message, `messages[${index}]`));
  }

  #message(message: ChatMessage, path: string): LanguageModelV4Message {
    const providerOptions = this.partOptions(message);
    switch (message.role) {
      case 'system':
      case 'developer':
        return {
          role: 'system',
          content: messageText(message),
          providerOptions: this.#lastPartOptions(message),
        };
      case 'user':
        return { role: 'user', content: this.#userParts(message, path), providerOptions };
      case 'assistant':
        return { role: 'assistant', content: this.#assistantParts(message, path), providerOptions };
      case 'tool':
        return { role: 'tool', content: [this.#toolResult(message, path)], providerOptions };
      case 'function':
        throw invalidRequest(`${path}.role`, 'function messages are not supported here; use tools');
      default:
        return message.role satisfies never;
    }
  }

  /** System content is one text; the options of its last part stand for the whole. */
  #lastPartOptions(message: ChatMessage): SharedV4ProviderOptions | undefined {
    const last = Array.isArray(message.content)
      ? (message.content as readonly ContentPart[]).at(-1)
      : undefined;
    return (last && this.partOptions(last)) ?? this.partOptions(message);
  }

  #userParts(message: ChatMessage, path: string): Array<LanguageModelV4TextPart | LanguageModelV4FilePart> {
    const { content } = message;
    if (typeof content === 'string') return [{ type: 'text', text: content }];
    return (content ?? []).map((part, index) => ({
      ...contentPart(part, `${path}.content[${index}]`),
      providerOptions: this.partOptions(part),
    }));
  }

  #assistantParts(
    message: ChatMessage,
    path: string,
  ): Extract<LanguageModelV4Message, { role: 'assistant' }>['content'] {
    const text = messageText(message);
    const calls = message.tool_calls ?? [];
    return [
      ...(text ? [{ type: 'text' as const, text }] : []),
      ...calls.map((call, index) => this.#toolCall(call, `${path}.tool_calls[${index}]`)),
    ];
  }

  #toolCall(call: ChatToolCall, path: string) {
    if (!call.function) throw invalidRequest(`${path}.type`, 'only function tool calls are supported here');
    this.#toolNames.set(call.id, call.function.name);
    return {
      type: 'tool-call' as const,
      toolCallId: call.id,
      toolName: call.function.name,
      input: toolArguments(call.function.arguments),
    };
  }

  #toolResult(message: ChatMessage, path: string): LanguageModelV4ToolResultPart {
    const toolCallId = message.tool_call_id;
    if (!toolCallId) throw invalidRequest(`${path}.tool_call_id`, 'a tool message must name its tool call');
    return {
      type: 'tool-result',
      toolCallId,
      toolName: this.#toolNames.get(toolCallId) ?? message.name ?? 'tool',
      output: toolOutput(message, path),
    };
  }
}

function toolOutput(message: ChatMessage, path: string): LanguageModelV4ToolResultPart['output'] {
  const { content } = message;
  if (!Array.isArray(content) || content.every((part: ContentPart) => part.type === 'text')) {
    return { type: 'text', value: messageText(message) };
  }
  const parts = content as readonly ContentPart[];
  return {
    type: 'content',
    value: parts.map((part, index) => contentPart(part, `${path}.content[${index}]`)),
  };
}

function contentPart(part: ContentPart, path: string): LanguageModelV4TextPart | LanguageModelV4FilePart {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text ?? '' };
    case 'image_url':
      return imagePart(part.image_url?.url, `${path}.image_url.url`);
    case 'file':
    case 'input_audio':
      return filePart(part, path);
    default:
      throw invalidRequest(`${path}.type`, `content of type "${part.type}" is not supported here`);
  }
}
