import { type ChatBody, isImagePart, messageText } from '../../../common/index';

/** One token of an answer: the space before it and at most eight characters. */
const PIECE = /\s*\S{1,8}|\s+$/gu;
const BYTES_PER_PROMPT_TOKEN = 4;
const TOKENS_PER_MESSAGE = 4;
const TOKENS_PER_IMAGE = 85;

/** The tokens of an answer; a stream sends them one by one, and joined they are the text again. */
export function pieces(text: string): readonly string[] {
  return text.match(PIECE) ?? [];
}

/** One token per four UTF-8 bytes of text and tools, four per message, 85 per image. */
export function promptTokens(body: ChatBody): number {
  let bytes = 0;
  let tokens = 0;
  for (const message of body.messages) {
    bytes += Buffer.byteLength(messageText(message));
    if (message.tool_calls) bytes += Buffer.byteLength(JSON.stringify(message.tool_calls));
    if (Array.isArray(message.content)) {
      tokens += message.content.filter(isImagePart).length * TOKENS_PER_IMAGE;
    }
    tokens += TOKENS_PER_MESSAGE;
  }
  if (body.tools) bytes += Buffer.byteLength(JSON.stringify(body.tools));
  return tokens + Math.ceil(bytes / BYTES_PER_PROMPT_TOKEN);
}
