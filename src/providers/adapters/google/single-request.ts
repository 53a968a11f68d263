const ENDED = JSON.stringify({ candidates: [{ finishReason: 'CONTINUATION' }] });

/**
 * Long answers of Gemini 4 may end with CONTINUATION, and the library then asks again with all that came so far as
 * input: several billed requests where one was reserved. A second one is never sent; the answer ends there instead,
 * with the finish reason `length`.
 */
export function singleRequest(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  let isSent = false;
  return async (url, init) => {
    if (isSent) return new Response(isStreamUrl(url) ? `data: ${ENDED}\n\n` : ENDED);
    isSent = true;
    return fetch(url, init);
  };
}

function isStreamUrl(url: string | URL | Request): boolean {
  return typeof url === 'string' && url.includes('alt=sse');
}
