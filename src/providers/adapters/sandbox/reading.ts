import {
  type ChatBody,
  type ChatMessage,
  type ChatTool,
  hasImages,
  isJsonObject,
  messageText,
} from '../../../common/index';
import { type Directives, directivesIn, withoutDirectives } from './directives';

/** What the sandbox understands of a request. */
export interface Reading {
  readonly directives: Directives;
  /** The last user message without directives. */
  readonly asked: string;
  /** "a question of 6 words with an image", for the answer to say. */
  readonly kind: string;
  /** Results of the tool calls since the last user message, in order. */
  readonly toolResults: readonly string[];
  /** Rounds of tool calls since the last user message. */
  readonly rounds: number;
}

const QUESTION = /\?\s*$|^\s*(?:who|what|when|where|why|how|which|is|are|can|could|do|does)\b/i;

export function readRequest(body: ChatBody): Reading {
  const { messages } = body;
  const last = messages.findLastIndex((message) => message.role === 'user');
  const text = last < 0 ? '' : messageText(messages[last] as ChatMessage);
  const since = messages.slice(last + 1);
  const asked = withoutDirectives(text);
  return {
    directives: directivesIn(text),
    asked,
    kind: kindOf(body, asked),
    toolResults: since.filter((message) => message.role === 'tool').map(messageText),
    rounds: since.filter((message) => message.role === 'assistant' && message.tool_calls?.length).length,
  };
}

/** What a long prompt is like shows in its beginning. */
const READ_CHARS = 20_000;

function kindOf(body: ChatBody, asked: string): string {
  const what = QUESTION.test(asked) ? 'a question' : 'an instruction';
  const turns = body.messages.length;
  const extras = [
    asked.includes('```') ? 'code' : '',
    hasImages(body.messages) ? 'an image' : '',
    body.tools?.length ? `${body.tools.length} tool${body.tools.length > 1 ? 's' : ''}` : '',
    turns > 2 ? `${turns} messages of conversation` : '',
  ].filter(Boolean);
  return `${what} of ${lengthOf(asked)}${extras.length > 0 ? ` with ${extras.join(', ')}` : ''}`;
}

function lengthOf(text: string): string {
  if (text.length > READ_CHARS) return `${text.length} characters`;
  const words = text.split(/\s+/).filter(Boolean).length;
  return `${words} word${words === 1 ? '' : 's'}`;
}

/** The tools to call now: forced by tool_choice, named by a directive, or asked for in the text. */
export function toolsToCall(body: ChatBody, reading: Reading): readonly ChatTool[] {
  const offered = (body.tools ?? []).filter((tool) => tool.function);
  if (offered.length === 0 || body.tool_choice === 'none') return [];
  if (reading.rounds >= (reading.directives.rounds ?? 1)) return [];
  const chosen = chosenTools(offered, body, reading);
  return body.parallel_tool_calls === false ? chosen.slice(0, 1) : chosen;
}

const TOOL_WORDS = ['tool', 'tools', 'function', 'functions'] as const;

function chosenTools(offered: readonly ChatTool[], body: ChatBody, reading: Reading): readonly ChatTool[] {
  const byName = (name: unknown): ChatTool[] => offered.filter((tool) => tool.function?.name === name);
  const { tool_choice: choice } = body;
  if (isJsonObject(choice) && isJsonObject(choice.function)) return byName(choice.function.name);
  const { directives, asked } = reading;
  if (directives.tools.length > 0) return directives.tools.flatMap(byName);
  const words = new Set(
    asked
      .slice(0, READ_CHARS)
      .toLowerCase()
      .match(/[\p{L}\p{N}_-]+/gu) ?? [],
  );
  const mentioned = offered.filter((tool) => isMentioned(tool.function?.name ?? '', words));
  if (mentioned.length > 0) return mentioned;
  const isWanted =
    choice === 'required' || directives.rounds !== undefined || TOOL_WORDS.some((word) => words.has(word));
  return isWanted ? offered.slice(0, 1) : [];
}

/** `get_weather` is asked for by its name and by "weather". */
function isMentioned(name: string, words: ReadonlySet<string>): boolean {
  const parts = name.split(/[_-]|(?<=[a-z])(?=[A-Z])/).map((part) => part.toLowerCase());
  return words.has(name.toLowerCase()) || parts.some((part) => part.length > 3 && words.has(part));
}
