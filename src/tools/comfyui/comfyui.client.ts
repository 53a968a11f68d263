import { setTimeout as delay } from 'node:timers/promises';
import { isJsonObject, type JsonObject, type OutboundAnswer, type OutboundClient } from '../../common/index';
import { TOOL_TIMEOUTS_MS } from '../http/tool-http';
import { idOf, imagesOf, isAmong, isOver, parsed, type RemoteImage } from './comfyui-answers';

const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
const MAX_IMAGE_BYTES = 64 * 1024 * 1024;
/** Questions about one drawing that may go unanswered. */
const MAX_MISSES = 3;

export interface Polling {
  readonly everyMs: number;
  readonly limitMs: number;
}

const POLLING: Polling = { everyMs: 500, limitMs: TOOL_TIMEOUTS_MS.comfyUiPoll };

/** ComfyUI's HTTP API: https://docs.comfy.org/development/comfyui-server/comms_routes */
export class ComfyUiClient {
  private readonly base: string;

  constructor(
    private readonly http: Pick<OutboundClient, 'send'>,
    url: string,
    private readonly polling = POLLING,
  ) {
    this.base = url.replace(/\/+$/, '');
  }

  /** @throws Error when it is not well */
  async checkHealth(signal?: AbortSignal): Promise<void> {
    await this.get('/system_stats', TOOL_TIMEOUTS_MS.health, signal);
  }

  /**
   * Puts it into the queue and gives the id it has there: the one that is proposed, except in old versions.
   * @throws Error with the reason why a workflow was refused
   */
  async submit(proposedId: string, workflow: JsonObject, signal: AbortSignal): Promise<string> {
    const body = { prompt: workflow, prompt_id: proposedId };
    const answer = await this.post('/prompt', body, TOOL_TIMEOUTS_MS.comfyUiSubmit, signal);
    return idOf(answer);
  }

  /** Waits until it is drawn. Gives the images in the order of the nodes. @throws Error when drawing failed or took too long */
  async finished(id: string, signal: AbortSignal): Promise<readonly RemoteImage[]> {
    const { everyMs, limitMs } = this.polling;
    const limit = AbortSignal.timeout(limitMs);
    const either = AbortSignal.any([signal, limit]);
    try {
      let misses = 0;
      for (;;) {
        const entry = await this.entryOf(id, either).catch((error: unknown) => {
          misses += 1;
          if (misses > MAX_MISSES || either.aborted) throw error;
          return undefined;
        });
        if (entry && isOver(entry)) return imagesOf(entry);
        await delay(everyMs, undefined, { signal: either });
      }
    } catch (error) {
      signal.throwIfAborted();
      if (limit.aborted) throw new Error(`ComfyUI drew nothing within ${limitMs} ms`, { cause: error });
      throw error;
    }
  }

  async view({ filename, subfolder, type }: RemoteImage, signal: AbortSignal): Promise<Buffer> {
    const query = new URLSearchParams({ filename, subfolder, type });
    const answer = await this.send(`/view?${query.toString()}`, {
      method: 'GET',
      timeoutMs: TOOL_TIMEOUTS_MS.comfyUiView,
      maxBytes: MAX_IMAGE_BYTES,
      signal,
    });
    if (answer.status !== 200) throw new Error(`ComfyUI gave no image (${answer.status})`);
    if (answer.isCut) throw new Error(`The image has more than ${MAX_IMAGE_BYTES} bytes`);
    return answer.body;
  }

  /** Takes it out of the queue, or stops it while it is drawn; what others have asked for goes on. */
  async cancel(id: string): Promise<void> {
    const timeoutMs = TOOL_TIMEOUTS_MS.health;
    await this.post('/queue', { delete: [id] }, timeoutMs);
    const { queue_running: running } = await this.get('/queue', timeoutMs);
    // Old versions know no id there and stop whatever runs.
    if (isAmong(running, id)) await this.post('/interrupt', { prompt_id: id }, timeoutMs);
  }

  /** Undefined while it waits or is drawn. */
  private async entryOf(id: string, signal: AbortSignal): Promise<JsonObject | undefined> {
    const history = await this.get(`/history/${encodeURIComponent(id)}`, this.polling.limitMs, signal);
    const entry = history[id];
    return isJsonObject(entry) ? entry : undefined;
  }

  private async get(path: string, timeoutMs: number, signal?: AbortSignal): Promise<JsonObject> {
    const limits = { timeoutMs, maxBytes: MAX_ANSWER_BYTES, signal };
    const { status, body } = await this.send(path, { method: 'GET', ...limits });
    if (status !== 200) throw new Error(`ComfyUI answered ${status}`);
    return parsed(body);
  }

  private async post(
    path: string,
    body: JsonObject,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<OutboundAnswer> {
    const limits = { timeoutMs, maxBytes: MAX_ANSWER_BYTES, signal };
    return await this.send(path, { method: 'POST', body: JSON.stringify(body), ...limits });
  }

  private async send(
    path: string,
    request: Omit<Parameters<OutboundClient['send']>[1], 'headers'>,
  ): Promise<OutboundAnswer> {
    const headers: Record<string, string> = { accept: '*/*' };
    if (request.body !== undefined) headers['content-type'] = 'application/json';
    try {
      return await this.http.send(this.base + path, { ...request, headers });
    } catch (error) {
      request.signal?.throwIfAborted();
      const { name, code } = error as NodeJS.ErrnoException;
      const reason = name === 'TimeoutError' ? `not within ${request.timeoutMs} ms` : (code ?? name);
      throw new Error(`ComfyUI did not answer (${reason})`, { cause: error });
    }
  }
}
