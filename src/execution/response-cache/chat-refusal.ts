import type { ChatBody } from '../../common/index';
import type { ChatState } from '../chat-state';

/** Why the same request need not get the same answer; undefined: it should. */
export function chatRefusal({ request: { body }, serverTools }: ChatState): string | undefined {
  if (body.temperature !== 0 && typeof body.seed !== 'number') {
    return 'only temperature 0 or a seed makes an answer repeatable';
  }
  if ((body.n ?? 1) !== 1) return 'it is for one choice only (n = 1)';
  if (serverTools.length > 0) return 'server-side tools may find something else each time';
  if (asksProviderTools(body)) return "the provider's own tools may find something else each time";
  return undefined;
}

function asksProviderTools({ tools, web_search_options: search }: ChatBody): boolean {
  if (search !== undefined && search !== null) return true;
  return tools?.some(({ type }) => type !== 'function' && type !== 'custom') === true;
}
