/** OpenAI's Responses API in front of the same scripts, answers and charges. */

/** Models that take no tools over Chat Completions but with `reasoning_effort: none`, as OpenAI refuses them. */
const TOOLS_OVER_RESPONSES = /^gpt-(5\.[456]|6)/;
const SEAL = 'sealed-by-truth:';

/** What OpenAI says to tools over Chat Completions; undefined when it takes them. */
export function toolsRefusal({ model, tools, messages, reasoning_effort: effort }) {
  const hasTools = tools?.length > 0 || (messages ?? []).some((message) => message.tool_calls?.length > 0);
  if (!hasTools || effort === 'none' || !TOOLS_OVER_RESPONSES.test(model)) return undefined;
  return refusal(
    `Function tools with reasoning_effort are not supported for ${model} in /v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'.`,
    'reasoning_effort',
    null,
  );
}

/** Thoughts that were not encrypted here. */
export function thoughtsRefusal({ input }) {
  const thoughts = [input].flat().filter((item) => item?.type === 'reasoning');
  if (thoughts.every((item) => item.encrypted_content?.startsWith(SEAL))) return undefined;
  return refusal('The encrypted content could not be verified.', null, 'invalid_encrypted_content');
}

function refusal(message, param, code) {
  const error = { message, type: 'invalid_request_error', param, code };
  return { fault: { kind: 'status', status: 400, body: { error } } };
}

/** What the thoughts say that come back: they are read again, and charged. */
function unsealed(content) {
  return Buffer.from(content.split('|')[1] ?? '', 'base64').toString();
}

/** The request as the chat it stands for, for counting and for the scripts. */
export function chatOf({ input, tools, text, max_output_tokens: limit, ...rest }) {
  const messages = [];
  const thoughts = [];
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : (input ?? []);
  for (const item of items) {
    const last = messages.at(-1);
    if (item.type === 'function_call') {
      const turn = last?.role === 'assistant' ? last : { role: 'assistant', content: null };
      if (turn !== last) messages.push(turn);
      const { call_id: id, name, arguments: args } = item;
      turn.tool_calls = [
        ...(turn.tool_calls ?? []),
        { id, type: 'function', function: { name, arguments: args } },
      ];
    } else if (item.type === 'function_call_output') {
      messages.push({ role: 'tool', tool_call_id: item.call_id, content: item.output });
    } else if (item.type === 'reasoning') {
      thoughts.push(unsealed(item.encrypted_content ?? ''));
    } else if (item.role) {
      messages.push({ role: item.role, content: item.content });
    }
  }
  return {
    ...rest,
    messages,
    thoughts,
    ...(tools ? { tools: tools.map(chatTool) } : {}),
    ...(text?.format ? { response_format: text.format } : {}),
    max_completion_tokens: limit,
  };
}

function chatTool({ type, name, description, parameters }) {
  return { type, function: { name, description, parameters } };
}

/** A whole answer. */
export function responseOf(answer, request) {
  const { id, model, createdAt } = request;
  const isCut = answer.finishReason === 'length';
  return {
    id: `resp_${id}`,
    object: 'response',
    created_at: createdAt,
    status: isCut ? 'incomplete' : 'completed',
    error: null,
    incomplete_details: isCut ? { reason: 'max_output_tokens' } : null,
    model,
    output: itemsOf(answer, request),
    store: false,
    ...(answer.usage ? { usage: usageOf(answer.usage) } : {}),
  };
}

function itemsOf({ content, reasoning, thought, toolCalls }, { id, hasThoughts }) {
  const thoughts = hasThoughts && (reasoning !== undefined || toolCalls.length > 0);
  return [
    ...(thoughts ? [thoughtItem(id, reasoning, thought)] : []),
    ...(content ? [messageItem(id, content)] : []),
    ...toolCalls.map((call, index) => callItem(id, call, index)),
  ];
}

function thoughtItem(id, text, thought = '') {
  const summary = text === undefined ? [] : [{ type: 'summary_text', text }];
  return {
    id: `rs_${id}`,
    type: 'reasoning',
    summary,
    encrypted_content: `${SEAL}${id}|${Buffer.from(thought).toString('base64')}`,
  };
}

function messageItem(id, text) {
  const content = [{ type: 'output_text', text, annotations: [] }];
  return { id: `msg_${id}`, type: 'message', status: 'completed', role: 'assistant', content };
}

function callItem(id, call, index) {
  const { name, arguments: args } = call.function;
  return {
    id: `fc_${id}_${index}`,
    type: 'function_call',
    status: 'completed',
    call_id: call.id,
    name,
    arguments: args,
  };
}

function usageOf({
  prompt_tokens: input,
  completion_tokens: output,
  prompt_tokens_details: inputDetails,
  completion_tokens_details: outputDetails,
  ...rest
}) {
  return {
    ...rest,
    input_tokens: input,
    input_tokens_details: inputDetails,
    output_tokens: output,
    output_tokens_details: outputDetails,
  };
}

/** The events of a stream; one delta of a chat may be several of them. */
export class ResponsesEvents {
  #answer;
  #request;
  #items;

  constructor(answer, request) {
    this.#answer = answer;
    this.#request = request;
    this.#items = itemsOf(answer, request);
  }

  delta(delta) {
    if (delta.role) return event('response.created', { response: { ...this.#begun(), output: [] } });
    if (delta.content !== undefined) {
      const place = this.#place('message');
      return event('response.output_text.delta', { ...place, content_index: 0, delta: delta.content });
    }
    if (delta.reasoning_content !== undefined) {
      const at = { ...this.#place('reasoning'), summary_index: 0 };
      return event('response.reasoning_summary_text.delta', { ...at, delta: delta.reasoning_content });
    }
    return delta.tool_calls.map((piece) => this.#piece(piece)).join('');
  }

  end() {
    const { usage } = this.#answer;
    const done = this.#items.map((item, index) =>
      event('response.output_item.done', { output_index: index, item }),
    );
    const response = responseOf(this.#answer, this.#request);
    return { text: [...done, event(`response.${response.status}`, { response })].join(''), usage };
  }

  #piece({ index, id, function: { arguments: args } }) {
    const first = this.#items.findIndex(({ type }) => type === 'function_call');
    const output_index = first + index;
    const item = this.#items[output_index];
    if (id !== undefined || args === '')
      return event('response.output_item.added', { output_index, item: { ...item, arguments: '' } });
    return event('response.function_call_arguments.delta', { output_index, item_id: item.id, delta: args });
  }

  #place(type) {
    const output_index = this.#items.findIndex((item) => item.type === type);
    return { output_index, item_id: this.#items[output_index]?.id };
  }

  #begun() {
    const { usage: _, ...response } = responseOf(this.#answer, this.#request);
    return { ...response, status: 'in_progress', incomplete_details: null };
  }
}

const event = (type, value) => `event: ${type}\ndata: ${JSON.stringify({ type, ...value })}\n\n`;
