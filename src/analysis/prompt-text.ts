/** Cuts the bounded windows out of a conversation that patterns are matched on. */
import { type ChatMessage, messageText } from '../common/index';

/** Of the last user message: the first 4 KB and the last 2 KB are read. */
const HEAD_CHARS = 4_096;
const TAIL_CHARS = 2_048;
/** People ask at the start or at the end of what they paste. */
const INSTRUCTION_HEAD_CHARS = 400;
const INSTRUCTION_TAIL_CHARS = 250;
const EARLIER_CHARS = 500;
const SYSTEM_CHARS = 600;

/** The windows, by how much they tell about the task. */
export interface PromptText {
  /** Where the last user message says what it wants: its beginning and its end. */
  readonly instruction: string;
  /** The bounded rest of the last user message, mostly material. */
  readonly material: string;
  /** The beginning of the user's turn before. */
  readonly earlier: string;
  /** The beginning of the system prompt. */
  readonly system: string;
}

export function promptText(messages: readonly ChatMessage[]): PromptText {
  const last = findLast(messages, messages.length, isUser);
  const earlier = findLast(messages, last, isUser);
  const system = messages.findIndex(isSystem);
  const text = textAt(messages, last < 0 ? messages.length - 1 : last);
  return {
    ...splitTurn(text),
    earlier: textAt(messages, earlier).slice(0, EARLIER_CHARS),
    system: textAt(messages, system).slice(0, SYSTEM_CHARS),
  };
}

/** What is read of the last user message, in its own order. */
export function turnText({ instruction, material }: PromptText): string {
  if (material === '') return instruction;
  return `${instruction.slice(0, INSTRUCTION_HEAD_CHARS)}${material}${instruction.slice(INSTRUCTION_HEAD_CHARS + 1)}`;
}

function splitTurn(text: string): Pick<PromptText, 'instruction' | 'material'> {
  if (text.length <= INSTRUCTION_HEAD_CHARS + INSTRUCTION_TAIL_CHARS)
    return { instruction: text, material: '' };
  const instruction = `${text.slice(0, INSTRUCTION_HEAD_CHARS)}\n${text.slice(-INSTRUCTION_TAIL_CHARS)}`;
  const middle = text.slice(INSTRUCTION_HEAD_CHARS, -INSTRUCTION_TAIL_CHARS);
  const headChars = HEAD_CHARS - INSTRUCTION_HEAD_CHARS;
  const tailChars = TAIL_CHARS - INSTRUCTION_TAIL_CHARS;
  if (middle.length <= headChars + tailChars) return { instruction, material: middle };
  return { instruction, material: `${middle.slice(0, headChars)}\n${middle.slice(-tailChars)}` };
}

function findLast(
  messages: readonly ChatMessage[],
  before: number,
  accepts: (message: ChatMessage) => boolean,
): number {
  for (let index = before - 1; index >= 0; index -= 1) {
    const message = messages[index];
    if (message && accepts(message)) return index;
  }
  return -1;
}

function textAt(messages: readonly ChatMessage[], index: number): string {
  const message = messages[index];
  return message ? messageText(message) : '';
}

function isUser(message: ChatMessage): boolean {
  return message.role === 'user';
}

function isSystem(message: ChatMessage): boolean {
  return message.role === 'system' || message.role === 'developer';
}
