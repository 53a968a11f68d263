import { responseOf } from './responses.mjs';

/** A whole answer as one JSON body. */
export async function playJson(wire, answer, behaviour, request) {
  const { usage, truth, parts } = answer;
  const json = request.isResponse ? responseOf(answer, request) : completionOf(answer, request);
  const body = { json, tokens: truth.completionTokens, usage };
  await playBody(wire, body, behaviour, (behaviour.chunkDelayMs ?? 0) * parts.length);
}

/** Any JSON body with its tokens, and the fault that stands in its way. */
export async function playBody(wire, { json, tokens, usage }, behaviour, delayMs = 0) {
  const { fault } = behaviour;
  const text = JSON.stringify(json);
  const half = text.slice(0, Math.ceil(text.length / 2));
  wire.head(200, { 'content-type': 'application/json' });
  await wire.pause(delayMs);
  switch (fault?.kind) {
    case 'cut':
      await wire.send(half, { tokens: Math.floor(tokens / 2) });
      return wire.cut();
    case 'stall':
      await wire.send(half, { tokens: Math.floor(tokens / 2) });
      return wire.closed();
    case 'clean-eof':
    case 'malformed':
    case 'error-frame':
      await wire.send(fault.line ?? half, { tokens });
      return wire.finish('truncated');
    case 'endless':
      while (wire.isOpen) {
        await wire.send(' '.repeat(fault.pieceBytes ?? 1024));
        await wire.pause(behaviour.chunkDelayMs ?? 1);
      }
      return;
    default:
      await wire.send(text, { tokens, usage });
      return wire.finish('completed');
  }
}

function completionOf(answer, { id, model, createdAt }) {
  const message = {
    role: 'assistant',
    content: answer.content,
    ...(answer.reasoning === undefined ? {} : { reasoning_content: answer.reasoning }),
    ...(answer.toolCalls.length > 0 ? { tool_calls: answer.toolCalls } : {}),
  };
  return {
    id: `chatcmpl-${id}`,
    object: 'chat.completion',
    created: createdAt,
    model,
    choices: Array.from({ length: answer.choices }, (_, index) => ({
      index,
      message,
      logprobs: null,
      finish_reason: answer.finishReason,
    })),
    ...(answer.usage ? { usage: answer.usage } : {}),
  };
}
