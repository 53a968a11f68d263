import { type ChatBody, type ChatTool, requestedMaxTokens } from '../common/index';
import type { PlannedModel } from '../selection/index';
import type { ChatState } from './chat-state';
import { type FittedRequest, fittedRequest } from './fitted-request';

/**
 * The body of one attempt. What a client of OpenAI's dialect sent to a model of his choice goes through unchanged but for
 * the model's name, the conversation's later turns, server-side tools and an output limit that a hard budget imposes.
 * Any other model gets the output limit under the name that it knows. Tells the state what could not be sent.
 * @param maxTokens the limit to send per choice; undefined leaves the client's own.
 */
export function upstreamBody(
  state: ChatState,
  planned: PlannedModel,
  maxTokens: number | undefined,
): ChatBody {
  const { body, warnings } = preparedBody(state, planned, maxTokens);
  state.warn(...warnings);
  return body;
}

/** The same before anything is settled: the limit may change, and nobody is warned yet. */
export function expectedBody(state: ChatState, planned: PlannedModel): ChatBody {
  return preparedBody(state, planned, undefined).body;
}

function preparedBody(
  state: ChatState,
  planned: PlannedModel,
  maxTokens: number | undefined,
): Pick<FittedRequest, 'body' | 'warnings'> {
  const { body, messages, warnings } = requestFor(state, planned);
  const sent: Record<string, unknown> = { ...body, model: planned.model.upstreamId, messages };
  if (state.serverTools.length > 0) sent.tools = mergeTools(body.tools, state.serverTools);
  // Forced again in every round, the model could never answer.
  if (state.hasAppended && isForced(body.tool_choice)) sent.tool_choice = 'auto';
  const limit = maxTokens ?? (isAsIs(state, planned) ? undefined : requestedMaxTokens(body));
  if (limit !== undefined) {
    delete sent.max_tokens;
    delete sent.max_completion_tokens;
    sent[planned.model.maxTokensParameter] = limit;
  }
  return { body: sent as unknown as ChatBody, warnings };
}

/** The client named this very model and wrote in the dialect it speaks. */
function isAsIs({ request, plan }: ChatState, planned: PlannedModel): boolean {
  return request.dialect === undefined && plan.strategy === 'pinned' && planned === plan.candidates[0];
}

function requestFor({ request, messages }: ChatState, { model }: PlannedModel): FittedRequest {
  if (request.dialect === undefined) return { body: request.body, messages, warnings: [] };
  return fittedRequest(request, messages, model);
}

function isForced(choice: ChatBody['tool_choice']): boolean {
  return choice === 'required' || (typeof choice === 'object' && choice !== null);
}

/** A client's tool hides a server's tool of the same name. */
function mergeTools(own: readonly ChatTool[] | undefined, added: readonly ChatTool[]): readonly ChatTool[] {
  const names = new Set((own ?? []).map((tool) => tool.function?.name));
  return [...(own ?? []), ...added.filter((tool) => !names.has(tool.function?.name))];
}
