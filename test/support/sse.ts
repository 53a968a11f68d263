export interface SseAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The data of every event, in order; `[DONE]` is one of them. */
  readonly events: readonly string[];
  /** Parsed events without `[DONE]`. */
  readonly json: readonly Record<string, unknown>[];
  readonly isDone: boolean;
}

export function parseSse(text: string): readonly string[] {
  return text
    .split('\n\n')
    .filter((event) => event.startsWith('data: '))
    .map((event) => event.slice('data: '.length));
}

/** Reads a streamed answer to its end, however it ends. */
export async function readSse(response: Response): Promise<SseAnswer> {
  const events = parseSse(await response.text());
  return {
    status: response.status,
    headers: response.headers,
    events,
    json: events
      .filter((event) => event !== '[DONE]')
      .map((event) => JSON.parse(event) as Record<string, unknown>),
    isDone: events.at(-1) === '[DONE]',
  };
}
