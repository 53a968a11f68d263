import { countPromptTokens, countTokens, splitTokens } from './tokens.mjs';

const DEFAULT_CHUNKS = 8;

/**
 * What the provider says and charges for one request, before any fault.
 * `parts` are the deltas of one choice, in order; each carries its share of the completion tokens of all choices.
 */
export function composeAnswer(attemptId, body, behaviour) {
  const wanted = toolCallsOf(attemptId, body, behaviour);
  const toolCalls = fits(body, behaviour, wanted) ? wanted : [];
  const content = contentOf(body, behaviour, toolCalls.length > 0);
  const choices = Math.max(1, Number(body.n) || 1);
  const usage = behaviour.usage ?? {};
  const counted = choices * countTokensOf(content, toolCalls, behaviour.reasoning);
  const truth = {
    promptTokens: usage.promptTokens ?? countPromptTokens(body),
    cachedTokens: usage.cachedTokens ?? 0,
    reasoningTokens: usage.reasoningTokens ?? choices * countTokens(behaviour.reasoning ?? ''),
    completionTokens: usage.completionTokens ?? counted,
  };
  const deltas = deltasOf(content, toolCalls, behaviour);
  return {
    choices,
    content: content.text,
    reasoning: behaviour.reasoning,
    thought: behaviour.thought,
    toolCalls,
    finishReason:
      behaviour.finishReason ?? (toolCalls.length < wanted.length ? 'length' : content.finishReason),
    truth,
    usage: usage.report === 'omit' ? undefined : { ...reportOf(truth), ...usage.report },
    parts: deltas.map((delta, index) => ({
      delta,
      tokens: share(truth.completionTokens, index, deltas.length),
    })),
  };
}

/** Token i of the whole, spread evenly: the shares always add up to the total. */
function share(total, index, count) {
  return Math.floor((total * (index + 1)) / count) - Math.floor((total * index) / count);
}

/** A text that a script gives to a round of tools may leave no room for the calls: then there are none, and it is cut. */
function fits(body, { answer }, toolCalls) {
  const limit = body.max_completion_tokens ?? body.max_tokens ?? Infinity;
  return answer === undefined || countTokensOf({ text: answer }, toolCalls) <= limit;
}

/** A round that asks for tools has no text unless the script gives one; `max_tokens` cuts the text. */
function contentOf(body, behaviour, asksForTools) {
  if (asksForTools) return { text: behaviour.answer ?? null, finishReason: 'tool_calls' };
  const fallback = body.response_format ? '{"answer":"true"}' : 'This is the answer of the truth provider.';
  const tokens = splitTokens(behaviour.answer ?? fallback);
  const limit = body.max_completion_tokens ?? body.max_tokens ?? Infinity;
  const isLong = tokens.length > limit;
  return { text: tokens.slice(0, limit).join(''), finishReason: isLong ? 'length' : 'stop' };
}

function toolCallsOf(attemptId, body, behaviour) {
  const wanted = behaviour.toolCalls ?? [];
  const rounds = (body.messages ?? []).filter((message) => message.tool_calls?.length > 0).length;
  if (behaviour.toolRounds !== undefined && rounds >= behaviour.toolRounds) return [];
  return wanted.map((call, index) => ({
    ...(call.id === null ? {} : { id: call.id ?? `call_${attemptId}_${index}` }),
    type: 'function',
    function: {
      name: call.name,
      arguments: typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments ?? {}),
    },
  }));
}

function countTokensOf(content, toolCalls, reasoning) {
  const calls = toolCalls.reduce(
    (sum, call) => sum + countTokens(call.function.name + ' ' + call.function.arguments),
    0,
  );
  return countTokens(content.text ?? '') + calls + countTokens(reasoning ?? '');
}

function deltasOf(content, toolCalls, behaviour) {
  const reasoning = behaviour.reasoning ? [{ reasoning_content: behaviour.reasoning }] : [];
  const texts = splitInto(content.text ?? '', behaviour.chunks).map((text) => ({ content: text }));
  return [...reasoning, ...texts, ...toolCalls.flatMap(toolDeltas)];
}

/** As OpenAI streams a call: its name first, then the arguments in pieces. */
function toolDeltas(call, index) {
  const { arguments: text, name } = call.function;
  const half = Math.ceil(text.length / 2);
  const head = {
    index,
    ...(call.id ? { id: call.id } : {}),
    type: 'function',
    function: { name, arguments: '' },
  };
  const pieces = [text.slice(0, half), text.slice(half)].filter((piece) => piece !== '');
  return [head, ...pieces.map((piece) => ({ index, function: { arguments: piece } }))].map((delta) => ({
    tool_calls: [delta],
  }));
}

function splitInto(text, wanted) {
  const tokens = splitTokens(text);
  const count = Math.min(tokens.length, wanted ?? DEFAULT_CHUNKS);
  return Array.from({ length: count }, (_, index) => {
    const from = Math.floor((tokens.length * index) / count);
    return tokens.slice(from, Math.floor((tokens.length * (index + 1)) / count)).join('');
  });
}

function reportOf(truth) {
  return {
    prompt_tokens: truth.promptTokens,
    completion_tokens: truth.completionTokens,
    total_tokens: truth.promptTokens + truth.completionTokens,
    prompt_tokens_details: { cached_tokens: truth.cachedTokens },
    completion_tokens_details: { reasoning_tokens: truth.reasoningTokens },
  };
}
