export interface ReceivedEvent {
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly data: Record<string, unknown>;
}

/** A connection to an event stream that reads as a browser's EventSource does, without reconnecting by itself. */
export interface EventConnection {
  readonly status: number;
  readonly headers: Headers;
  /** Of an answer that is no stream. */
  readonly body: Record<string, unknown>;
  readonly events: readonly ReceivedEvent[];
  /** What a browser would send as Last-Event-ID. */
  readonly lastEventId: string | undefined;
  readonly comments: readonly string[];
  /** Resolves when the server has ended the stream; rejects when it was cut. */
  readonly ended: Promise<void>;
  close(): void;
}

export async function connectEvents(
  url: string,
  headers: Record<string, string> = {},
): Promise<EventConnection> {
  const controller = new AbortController();
  const response = await fetch(url, { headers, signal: controller.signal });
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  const seen = new Reading();
  const ended = isStream ? seen.follow(response) : Promise.resolve();
  ended.catch(() => undefined);
  return {
    status: response.status,
    headers: response.headers,
    body: isStream ? {} : ((await response.json()) as Record<string, unknown>),
    events: seen.events,
    comments: seen.comments,
    get lastEventId() {
      return seen.lastEventId;
    },
    ended,
    close: () => controller.abort(),
  };
}

class Reading {
  readonly events: ReceivedEvent[] = [];
  readonly comments: string[] = [];
  lastEventId: string | undefined;

  async follow(response: Response): Promise<void> {
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      rest += decoder.decode(chunk as Uint8Array, { stream: true });
      const blocks = rest.split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) this.take(block);
    }
  }

  private take(block: string): void {
    const fields = new Map<string, string>();
    for (const line of block.split('\n')) {
      if (line.startsWith(':')) this.comments.push(line.slice(1).trim());
      else fields.set(line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2));
    }
    if (fields.has('id')) this.lastEventId = fields.get('id');
    const data = fields.get('data');
    if (data === undefined) return;
    this.events.push({
      id: fields.get('id'),
      name: fields.get('event'),
      data: JSON.parse(data) as Record<string, unknown>,
    });
  }
}
