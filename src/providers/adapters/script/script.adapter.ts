import { isJsonObject, type JsonObject, type ProviderId } from '../../../common/index';
import { type ScriptSettings, withoutValues } from '../../../config/index';
import type { ProviderError } from '../../provider.errors';
import type {
  ChatCall,
  ChatResult,
  ChatStream,
  EmbedCall,
  EmbedResult,
  ProviderAdapter,
} from '../../provider.port';
import { textsOf } from '../embedding';
import { embedResult } from '../openai-dialect/embeddings';
import { attemptReport, chatResult, jsonObjectOf } from '../openai-dialect/response';
import { safeMessage } from '../safe-message';
import {
  endError,
  refusedError,
  reportedError,
  type ScriptContext,
  startError,
  unreadableError,
} from './errors';
import { NoPlaceError, Places } from './places';
import { chatInput, embeddingInput } from './request';
import { ScriptProcess } from './script-process';
import { ScriptStream } from './stream';

/** From the polite signal to the one that cannot be ignored. */
const GRACE_MS = 2_000;

export interface ScriptAdapterOptions {
  readonly graceMs?: number;
  /** Told of what a process wrote to standard error, made fit for a log. */
  readonly onErrorText?: (fields: Readonly<Record<string, unknown>>) => void;
}

type Read<Answer> = (body: JsonObject) => Answer | undefined;

/** A provider whose calls are carried out by a command of the administrator's: docs/scripts.md. One process per call. */
export class ScriptAdapter implements ProviderAdapter {
  readonly embed?: (call: EmbedCall) => Promise<EmbedResult>;
  readonly #places: Places;
  readonly #running = new Set<ScriptProcess>();
  #isClosed = false;

  constructor(
    readonly provider: ProviderId,
    private readonly settings: ScriptSettings,
    private readonly options: ScriptAdapterOptions = {},
  ) {
    this.#places = new Places(settings.maxConcurrent, settings.timeoutMs);
    if (settings.kinds.includes('embedding')) this.embed = (call) => this.#embed(call);
  }

  async chat(call: ChatCall): Promise<ChatResult> {
    const context = this.#contextOf(call, { body: call.body });
    const process = await this.#start(context, chatInput(call, false), call.signal);
    return await this.#whole(context, process, (body) => {
      const result = chatResult(body, Buffer.alloc(0), {});
      return result && { report: result.report, body };
    });
  }

  async chatStream(call: ChatCall): Promise<ChatStream> {
    const context = this.#contextOf(call, { body: call.body });
    const process = await this.#start(context, chatInput(call, true), call.signal);
    const stream = new ScriptStream(context, process, call.model.timeouts.idleMs);
    try {
      await stream.begin();
    } catch (error) {
      process.stop('left');
      throw error;
    }
    return stream;
  }

  /** Ends what runs and waits for it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const running = [...this.#running];
    for (const process of running) process.stop('shutdown');
    await Promise.all(running.map((process) => process.ended));
  }

  /** Ends what runs at once; for the last moment of this process, which cannot wait. */
  kill(): void {
    for (const process of this.#running) process.kill();
  }

  async #embed(call: EmbedCall): Promise<EmbedResult> {
    const context = this.#contextOf(call, { prompts: textsOf(call.inputs) });
    const process = await this.#start(context, embeddingInput(call), call.signal);
    return await this.#whole(context, process, (body) => embedResult(call, body, {}));
  }

  /** Reads one JSON object to the end of the process. */
  async #whole<Answer>(context: ScriptContext, process: ScriptProcess, read: Read<Answer>): Promise<Answer> {
    const pieces: Buffer[] = [];
    for await (const piece of process.output()) pieces.push(piece);
    const end = await process.over;
    const body = jsonObjectOf(Buffer.concat(pieces));
    const usage = isJsonObject(body?.usage) ? attemptReport({ rawUsage: body.usage }).usage : undefined;
    // What the script says of its failure is more than its exit code; not so when it was ended from here.
    if (body?.error && process.stopReason === undefined) throw reportedError(context, body, false);
    const failure: ProviderError | undefined = endError(context, process, end, { hasAnswer: false, usage });
    if (failure) throw failure;
    const answer = body && read(body);
    if (!answer) throw unreadableError(context, 'wrote something other than an answer', usage);
    return answer;
  }

  /** @throws ProviderError when nothing could be started. */
  async #start(context: ScriptContext, text: string, signal: AbortSignal): Promise<ScriptProcess> {
    const leave = await this.#enter(context, signal);
    if (signal.aborted || this.#isClosed) {
      leave();
      throw refusedError(context, 'aborted');
    }
    const { settings } = this;
    const { graceMs = GRACE_MS } = this.options;
    try {
      const process = new ScriptProcess({ settings, text, signal, graceMs });
      this.#running.add(process);
      void process.exited.then(leave);
      void process.ended.then(({ code, signal: by }) => {
        this.#running.delete(process);
        this.#tell(context, process.errorText, { code, signal: by });
      });
      return process;
    } catch (error) {
      leave();
      throw startError(context, (error as NodeJS.ErrnoException).code ?? (error as Error).name);
    }
  }

  async #enter(context: ScriptContext, signal: AbortSignal): Promise<() => void> {
    try {
      return await this.#places.enter(signal);
    } catch (error) {
      if (error instanceof NoPlaceError) throw refusedError(context, error.refusal);
      throw error;
    }
  }

  #contextOf(
    { requestId }: Pick<ChatCall, 'requestId'>,
    said: Pick<ScriptContext, 'body' | 'prompts'>,
  ): ScriptContext {
    return { provider: this.provider, env: this.settings.env, requestId, ...said };
  }

  #tell(context: ScriptContext, errorText: string, how: object): void {
    const { onErrorText } = this.options;
    if (!onErrorText || errorText.trim() === '') return;
    const { provider, requestId, env } = context;
    const stderr = safeMessage(context, withoutValues(errorText, env), this.settings.maxErrorBytes);
    onErrorText({ provider, requestId, ...how, stderr });
  }
}
