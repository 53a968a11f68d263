/** Those whose Responses API is called here. */
export const RESPONSES_PROVIDERS: readonly string[] = ['openai', 'azure'];

/** @param id canonical */
export function hasResponses(id: string): boolean {
  return RESPONSES_PROVIDERS.includes(id.slice(0, id.indexOf('/')));
}
