import { StringDecoder } from 'node:string_decoder';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../common/index';
import { ProviderError } from '../../provider.errors';
import type { AttemptReport, ChatChunk, ChatStream } from '../../provider.port';
import { attemptReport, jsonObjectOf } from '../openai-dialect/response';
import { isCompletion } from '../openai-dialect/shapes';
import { ChunkDecoder } from '../openai-dialect/stream';
import { endError, reportedError, type ScriptContext, unreadableError } from './errors';
import type { ScriptProcess } from './script-process';

/**
 * The answer of a script that was asked to stream: one chunk of OpenAI's a line. A script that cannot stream writes one
 * whole completion, on one line or on many; it becomes one chunk.
 */
export class ScriptStream implements ChatStream {
  readonly chunks: AsyncIterable<ChatChunk>;
  readonly #lines: AsyncGenerator<string>;
  readonly #decoder = new ChunkDecoder(undefined);
  readonly #warnings: string[] = [];

  constructor(
    private readonly context: ScriptContext,
    private readonly process: ScriptProcess,
    private readonly idleMs: number,
  ) {
    this.#lines = linesOf(process.output());
    this.chunks = this.#relay();
  }

  /** Waits until the answer has begun. @throws ProviderError */
  async begin(): Promise<void> {
    const first = await this.#lines.next();
    if (first.done) throw (await this.#badEnd()) ?? unreadableError(this.context, 'wrote nothing');
    const object = jsonObjectOf(Buffer.from(first.value));
    if (object && (object.error || isChunkOf(object))) this.#feed(object, first.value);
    else await this.#whole(object, first.value);
  }

  report(): AttemptReport {
    return { ...this.#decoder.report(), warnings: this.#warnings };
  }

  malformedLines = (): number => this.#decoder.malformedLines;

  async *#relay(): AsyncGenerator<ChatChunk> {
    try {
      for (;;) {
        for (let chunk = this.#decoder.take(); chunk; chunk = this.#decoder.take()) yield chunk;
        const line = await this.#next();
        if (line === undefined) break;
        this.#feed(jsonObjectOf(Buffer.from(line)), line);
      }
      const failure = await this.#badEnd();
      if (failure) throw failure;
      if (!this.#decoder.isComplete) throw this.#cut();
    } finally {
      this.process.stop('left');
    }
  }

  /** The next line; a script that is silent for too long is ended. A slow reader does not count. */
  async #next(): Promise<string | undefined> {
    const timer = setTimeout(() => this.process.stop('silent'), this.idleMs);
    try {
      const { done, value } = await this.#lines.next();
      return done ? undefined : value;
    } finally {
      clearTimeout(timer);
    }
  }

  #feed(object: JsonObject | undefined, line: string): void {
    if (object?.error) throw reportedError(this.context, object, !this.#decoder.isEmpty);
    this.#decoder.feed(Buffer.from(`data: ${line}\n\n`));
  }

  /** The answer is no stream: all of it, as one chunk. */
  async #whole(object: JsonObject | undefined, first: string): Promise<void> {
    const lines = [first];
    for await (const line of this.#lines) lines.push(line);
    const whole = object ?? jsonObjectOf(Buffer.from(lines.join('\n')));
    if (whole?.error) throw reportedError(this.context, whole, false);
    const failure = await this.#badEnd(attemptReport({ rawUsage: whole?.usage }).usage);
    if (failure) throw failure;
    if (!whole || !isCompletion(whole)) {
      throw unreadableError(this.context, 'wrote neither chunks nor a completion');
    }
    this.#warnings.push(
      `The script of ${this.context.provider} does not stream: its answer came in one piece`,
    );
    for (const chunk of asChunks(whole)) this.#feed(chunk, JSON.stringify(chunk));
  }

  /** Why it did not come to a good end, if so. */
  async #badEnd(usage = this.#decoder.report().usage): Promise<ProviderError | undefined> {
    const end = await this.process.over;
    return endError(this.context, this.process, end, { hasAnswer: !this.#decoder.isEmpty, usage });
  }

  #cut(): ProviderError {
    const { provider } = this.context;
    return new ProviderError(`The script of ${provider} ended in the middle of its answer`, {
      provider,
      fault: 'cut',
      mayBeBilled: true,
      usage: this.#decoder.report().usage,
    });
  }
}

/** Lines that hold something. */
async function* linesOf(pieces: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const utf8 = new StringDecoder('utf8');
  let begun: string[] = [];
  for await (const piece of pieces) {
    const [end = '', ...lines] = utf8.write(piece).split('\n');
    begun.push(end);
    for (const line of lines) {
      const whole = begun.join('').trim();
      begun = [line];
      if (whole !== '') yield whole;
    }
  }
  const last = (begun.join('') + utf8.end()).trim();
  if (last !== '') yield last;
}

/** A chunk, as against a completion or something else. */
function isChunkOf({ choices }: JsonObject): boolean {
  if (!Array.isArray(choices)) return false;
  return !choices.some((choice) => isJsonObject(choice) && isJsonObject(choice.message));
}

/** The completion as a stream would bring it: everything at once, then the usage. */
function asChunks({ choices, usage, ...rest }: JsonObject): readonly JsonObject[] {
  const head = { ...rest, object: 'chat.completion.chunk' };
  const deltas = (choices as readonly JsonObject[]).map(({ message, ...choice }, index) => ({
    index,
    ...choice,
    delta: deltaOf(message),
  }));
  const whole = { ...head, choices: deltas };
  return usage ? [whole, { ...head, choices: [], usage }] : [whole];
}

function deltaOf(message: JsonValue | undefined): JsonObject {
  if (!isJsonObject(message)) return {};
  const { tool_calls: calls, ...rest } = message;
  if (!Array.isArray(calls)) return rest;
  return {
    ...rest,
    tool_calls: (calls as readonly JsonObject[]).map((call, index) => ({ index, ...call })),
  };
}
