/** The provider's tokens: words and single signs, each with the blank before it. Never more than a text's bytes. */
export function splitTokens(text) {
  return text.match(/\s*(?:[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_])|\s+$/gu) ?? [];
}

export const countTokens = (text) => splitTokens(text).length;

/** What the prompt costs: the texts of all messages, thoughts and tools, and three tokens per message. */
export function countPromptTokens(body) {
  const messages = Array.isArray(body.messages) ? body.messages : [];
  const texts = messages.map((message) => textOf(message.content) + callsOf(message));
  const tools = body.tools ? JSON.stringify(body.tools) : '';
  const thoughts = (body.thoughts ?? []).join(' ');
  return (
    texts.reduce((sum, text) => sum + 3 + countTokens(text), 0) + countTokens(thoughts) + countTokens(tools)
  );
}

export function textOf(content) {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part) => (typeof part?.text === 'string' ? part.text : '')).join('');
}

const callsOf = (message) => (message.tool_calls ? JSON.stringify(message.tool_calls) : '');
