/** The callers of a proof: chat requests, streams that are left early, and many of them at a time. */
import type { Behaviour } from '../truth-provider/truth-provider';

export interface Question {
  readonly url: string;
  readonly key: string;
  readonly body: object;
  /** Leaves after that many events of the stream; 0 leaves as soon as the head has come. */
  readonly leaveAfterEvents?: number;
  /** Leaves without waiting for an answer. */
  readonly signal?: AbortSignal;
}

export interface Reply {
  readonly status: number;
  readonly requestId: string | null;
}

/** The status of a whole answer; undefined when the connection broke or the caller left. */
export async function ask(question: Question): Promise<number | undefined> {
  return (await reply(question))?.status;
}

/** A whole answer; undefined when the connection broke or the caller left. */
export async function reply(question: Question): Promise<Reply | undefined> {
  const { url, key, body, leaveAfterEvents } = question;
  const leaving = new AbortController();
  const signal = question.signal ? AbortSignal.any([question.signal, leaving.signal]) : leaving.signal;
  try {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify(body),
      signal,
    });
    if (leaveAfterEvents === undefined) await response.arrayBuffer();
    else await readEvents(response, leaveAfterEvents, leaving);
    return { status: response.status, requestId: response.headers.get('x-lattice-request-id') };
  } catch {
    return undefined;
  }
}

async function readEvents(response: Response, count: number, leaving: AbortController): Promise<void> {
  let events = 0;
  if (count === 0) leaving.abort();
  for await (const part of response.body ?? []) {
    events += Buffer.from(part).toString('latin1').split('\n\n').length - 1;
    if (events >= count) leaving.abort();
  }
}

/** A user's message that tells the truth provider what to do. */
export function scripted(
  behaviour: Behaviour | string,
  text = 'Hello there',
): { role: 'user'; content: string } {
  const script = typeof behaviour === 'string' ? behaviour : JSON.stringify(behaviour);
  return { role: 'user', content: `${text} [[script:${script}]]` };
}

/** Runs `count` jobs, at most `width` at a time. */
export async function inParallel(
  count: number,
  width: number,
  job: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await job(next++);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, worker));
}
