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
  isJsonObject,
  type JsonObject,
  messageText,
  toolArguments,
} from '../../../common/index';
import { filePart, imagePart } from './file-part';
import { invalidRequest } from './invalid-request';

/** Vendor options of a message part or tool, e.g. Anthropic's `cache_control` that a client wrote beside it. */
export type PartOptions = (part: JsonObject) => SharedV4ProviderOptions | undefined;

/** Reads only what the dialects share; what it does not read stands in the warnings (unread-fields.ts). */
export class PromptConverter {
  readonly #toolNames = new Map<string, string>();

  constructor(private readonly partOptions: PartOptions) {}

  convert(messages: readonly ChatMessage[]): LanguageModelV4Prompt {
    return messages.flatMap((message, index) => this.#message(message, `messages[${index}]`));
  }

  #message(message: ChatMessage, path: string): LanguageModelV4Message | LanguageModelV4Message[] {
    const providerOptions = this.partOptions(message);
    switch (message.role) {
      case 'system':
      case 'developer':
        return this.#instructions(message, path);
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

  /** The library takes one text: what stands behind a part with options of its own begins another message. */
  #instructions(message: ChatMessage, path: string): LanguageModelV4Message[] {
    const messages: LanguageModelV4Message[] = [];
    let texts: string[] = [];
    const end = (providerOptions: SharedV4ProviderOptions | undefined): void => {
      messages.push({ role: 'system', content: texts.join('\n'), providerOptions });
      texts = [];
    };
    for (const [index, part] of partsOf(message).entries()) {
      texts.push(partText(part, message.role, `${path}.content[${index}]`));
      const own = this.partOptions(part);
      if (own) end(own);
    }
    if (texts.length > 0 || messages.length === 0) end(this.partOptions(message));
    return messages;
  }

  #userParts(message: ChatMessage, path: string): Array<LanguageModelV4TextPart | LanguageModelV4FilePart> {
    return partsOf(message).map((part, index) => ({
      ...contentPart(part, `${path}.content[${index}]`),
      providerOptions: this.partOptions(part),
    }));
  }

  #assistantParts(
    message: ChatMessage,
    path: string,
  ): Extract<LanguageModelV4Message, { role: 'assistant' }>['content'] {
    if (isJsonObject(message.function_call)) {
      throw invalidRequest(`${path}.function_call`, 'function calls are not supported here; use tool_calls');
    }
    const { refusal, tool_calls: calls } = message;
    const said = partsOf(message).map((part, index) => ({
      type: 'text' as const,
      text: partText(part, message.role, `${path}.content[${index}]`),
      providerOptions: this.partOptions(part),
    }));
    if (typeof refusal === 'string') said.push({ type: 'text', text: refusal, providerOptions: undefined });
    return [
      ...said.filter(({ text }) => text !== ''),
      ...(calls ?? []).map((call, index) => this.#toolCall(call, `${path}.tool_calls[${index}]`)),
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
      providerOptions: this.#lastOptions(message),
    };
  }

  /** A result is one part for the library. */
  #lastOptions(message: ChatMessage): SharedV4ProviderOptions | undefined {
    return partsOf(message)
      .map((part) => this.partOptions(part))
      .findLast((options) => options !== undefined);
  }
}

function partsOf({ content }: ChatMessage): readonly ContentPart[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return content ?? [];
}

/** Of instructions and answers, which hold nothing but text; a refusal is what the model said. */
function partText({ type, text, refusal }: ContentPart, role: ChatMessage['role'], path: string): string {
  if (typeof text === 'string') return text;
  if (typeof refusal === 'string') return refusal;
  throw invalidRequest(`${path}.type`, `content of type "${type}" is not supported in ${role} messages`);
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
