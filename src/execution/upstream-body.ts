import type { ChatBody, ChatTool } from '../common/index';
import type { PlannedModel } from '../selection/index';
import type { AttemptState } from './attempt-state';

/**
 * The body of one attempt. What the client sent goes through unchanged but for the model's name, the conversation's
 * later turns, server-side tools and an output limit that a hard budget imposes.
 * @param maxTokens the limit to send per choice; undefined leaves the client's own.
 */
export function upstreamBody(
  state: AttemptState,
  planned: PlannedModel,
  maxTokens: number | undefined,
): ChatBody {
  const { body } = state.request;
  const isPinned = state.plan.strategy === 'pinned';
  const sent: Record<string, unknown> = {
    ...body,
    model: planned.model.upstreamId,
    messages: state.messages,
  };
  if (state.serverTools.length > 0) sent.tools = mergeTools(body.tools, state.serverTools);
  // Forced again in every round, the model could never answer.
  if (state.hasAppended && isForced(body.tool_choice)) sent.tool_choice = 'auto';
  const limit = maxTokens ?? (isPinned ? undefined : (body.max_completion_tokens ?? body.max_tokens));
  if (limit !== undefined) {
    delete sent.max_tokens;
    delete sent.max_completion_tokens;
    sent[planned.model.maxTokensParameter] = limit;
  }
  return sent as unknown as ChatBody;
}

function isForced(choice: ChatBody['tool_choice']): boolean {
  return choice === 'required' || (typeof choice === 'object' && choice !== null);
}

/** A client's tool hides a server's tool of the same name. */
function mergeTools(own: readonly ChatTool[] | undefined, added: readonly ChatTool[]): readonly ChatTool[] {
  const names = new Set((own ?? []).map((tool) => tool.function?.name));
  return [...(own ?? []), ...added.filter((tool) => !names.has(tool.function?.name))];
}
