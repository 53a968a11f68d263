import { isJsonObject, type JsonObject } from '../../common/index';

/** What of the request OpenAI's clients expect to find in the response, with the defaults of what was not said. */
export function echoOf(raw: JsonObject): JsonObject {
  const text = isJsonObject(raw.text) ? raw.text : {};
  const reasoning = isJsonObject(raw.reasoning) ? raw.reasoning : {};
  return {
    background: false,
    instructions: raw.instructions ?? null,
    max_output_tokens: raw.max_output_tokens ?? null,
    max_tool_calls: null,
    metadata: raw.metadata ?? {},
    parallel_tool_calls: raw.parallel_tool_calls ?? true,
    previous_response_id: raw.previous_response_id ?? null,
    prompt_cache_key: raw.prompt_cache_key ?? null,
    reasoning: {
      effort: reasoning.effort ?? null,
      summary: reasoning.summary ?? reasoning.generate_summary ?? null,
    },
    safety_identifier: raw.safety_identifier ?? null,
    service_tier: raw.service_tier ?? null,
    store: raw.store ?? true,
    temperature: raw.temperature ?? null,
    text: { ...text, format: text.format ?? { type: 'text' } },
    tool_choice: raw.tool_choice ?? 'auto',
    tools: raw.tools ?? [],
    top_logprobs: 0,
    top_p: raw.top_p ?? null,
    truncation: 'disabled',
    user: raw.user ?? null,
  };
}
