import { type Dispatcher, Pool } from 'undici';
import { isJsonObject, type JsonObject, type ProviderId } from '../../../common/index';
import type { ProviderSettings } from '../../../config/index';
import { ProviderError } from '../../provider.errors';
import type {
  ChatCall,
  ChatResult,
  ChatStream,
  EmbedCall,
  EmbedResult,
  ProviderAdapter,
} from '../../provider.port';
import { type Endpoint, endpointOf } from './endpoint';
import { textsOf } from '../embedding';
import type { ErrorContext } from '../safe-message';
import { embeddingsBody, embedResult } from './embeddings';
import { answerError, failureOf, reportedError } from './errors';
import { Exchange, type UpstreamAnswer } from './exchange';
import { chatBody, streamBody } from './request';
import { attemptReport, chatResult, jsonObjectOf, requestIdOf } from './response';
import { StreamExchange } from './stream-exchange';

/** Enough for any load one process can carry; beyond it calls wait for a connection up to `connectMs`. */
const CONNECTIONS = 1024;
/** Only an upper bound: the model's own `connectMs` is what counts. */
const CONNECT_LIMIT_MS = 60_000;
const LIST_LIMITS = { connectMs: 5_000, totalMs: 10_000 } as const;

/**
 * Every provider that speaks OpenAI's chat dialect itself: openai, xai, azure, dial, local (Ollama's /v1) and compatible
 * servers. Bodies pass through as they are. One keep-alive pool per adapter; idle sockets are given up after undici's
 * 4 s, below the 5 s after which common servers close them, so that a request is not written to a dying socket.
 */
export class OpenAiDialectAdapter implements ProviderAdapter {
  protected readonly endpoint: Endpoint;
  private readonly pool: Pool;
  private readonly jsonHeaders: readonly string[];
  private readonly eventHeaders: readonly string[];

  constructor(
    readonly provider: ProviderId,
    private readonly settings: ProviderSettings,
    private readonly sharedPool?: Pool,
  ) {
    this.endpoint = endpointOf(provider, settings);
    this.pool = sharedPool ?? newPool(this.endpoint.origin);
    const common = ['content-type', 'application/json', 'user-agent', 'lattice', ...this.endpoint.headers];
    this.jsonHeaders = ['accept', 'application/json', ...common];
    this.eventHeaders = ['accept', 'text/event-stream', ...common];
  }

  async chat(call: ChatCall): Promise<ChatResult> {
    const context = this.contextOf(call);
    const exchange = new Exchange(context, call.model.timeouts, call.signal);
    exchange.start(this.pool, this.post(call, chatBody(call), this.jsonHeaders));
    const answer = await exchange.answer;
    const body = jsonObjectOf(answer.body);
    if (answer.status >= 300) throw answerError(context, { ...answer, body });
    // The body decides, not its label: a paid answer is not thrown away over a content type.
    const result = body && chatResult(body, answer.body, answer.headers);
    if (!result) throw malformed(context, answer);
    return result;
  }

  async chatStream(call: ChatCall): Promise<ChatStream> {
    const context = this.contextOf(call);
    const exchange = new StreamExchange(context, call.model.timeouts, call.signal);
    const body = streamBody(call, this.endpoint.hasStreamUsage);
    exchange.start(this.pool, this.post(call, body, this.eventHeaders));
    const answer = await exchange.answer;
    if (answer.stream) return answer.stream;
    if (answer.status >= 300) throw answerError(context, { ...answer, body: jsonObjectOf(answer.body) });
    throw malformed(context, answer);
  }

  async embed(call: EmbedCall): Promise<EmbedResult> {
    const { provider, settings } = this;
    const context: ErrorContext = { provider, apiKey: settings.apiKey, prompts: textsOf(call.inputs) };
    const exchange = new Exchange(context, call.model.timeouts, call.signal);
    exchange.start(this.pool, {
      method: 'POST',
      path: this.endpoint.embeddingsPath(call.model.upstreamId),
      headers: [...this.jsonHeaders, 'x-request-id', call.requestId],
      body: embeddingsBody(call),
    });
    const answer = await exchange.answer;
    const body = jsonObjectOf(answer.body);
    if (answer.status >= 300) throw answerError(context, { ...answer, body });
    const result = body && embedResult(call, body, answer.headers);
    if (!result) throw malformed(context, answer);
    return result;
  }

  async listModels(signal: AbortSignal): Promise<readonly string[]> {
    const { data } = await this.ask({ method: 'GET', path: this.endpoint.modelsPath }, signal);
    if (!Array.isArray(data)) throw this.unexpected();
    return data.flatMap((item: unknown) =>
      isJsonObject(item) && typeof item.id === 'string' ? [item.id] : [],
    );
  }

  withSettings(settings: ProviderSettings): ProviderAdapter {
    return new OpenAiDialectAdapter(this.provider, settings, this.pool);
  }

  async close(): Promise<void> {
    if (!this.sharedPool) await this.pool.destroy();
  }

  /** A call that costs nothing: a JSON object for a request without a prompt. */
  protected async ask(
    request: Pick<Dispatcher.DispatchOptions, 'method' | 'path' | 'body'>,
    signal: AbortSignal,
  ): Promise<JsonObject> {
    const context: ErrorContext = { provider: this.provider, apiKey: this.settings.apiKey };
    const exchange = new Exchange(context, LIST_LIMITS, signal);
    exchange.start(this.pool, { ...request, headers: [...this.jsonHeaders] });
    const answer = await exchange.answer;
    const body = jsonObjectOf(answer.body);
    if (answer.status >= 300) throw answerError(context, { ...answer, body });
    if (!body) throw this.unexpected();
    return body;
  }

  private unexpected(): ProviderError {
    return new ProviderError(`${this.provider} answered a question about its models with something else`, {
      provider: this.provider,
      fault: 'malformed',
      mayBeBilled: false,
    });
  }

  private contextOf(call: ChatCall): ErrorContext {
    return { provider: this.provider, apiKey: this.settings.apiKey, body: call.body };
  }

  private post(call: ChatCall, body: string, headers: readonly string[]): Dispatcher.DispatchOptions {
    return {
      method: 'POST',
      path: this.endpoint.chatPath(call.model.upstreamId),
      headers: [...headers, 'x-request-id', call.requestId],
      body,
    };
  }
}

function newPool(origin: string): Pool {
  return new Pool(origin, {
    connections: CONNECTIONS,
    pipelining: 1,
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: CONNECT_LIMIT_MS },
  });
}

/** A 2xx answer that is not what the dialect says. An error object in it says more than the status. */
function malformed(context: ErrorContext, answer: UpstreamAnswer): ProviderError {
  const body = jsonObjectOf(answer.body);
  const upstreamRequestId = requestIdOf(answer.headers);
  const usage = body?.usage ? attemptReport({ rawUsage: body.usage }).usage : undefined;
  if (body?.error) {
    return reportedError(context, failureOf(body), {
      upstreamStatus: answer.status,
      upstreamRequestId,
      usage,
    });
  }
  const type = String(answer.headers['content-type'] ?? 'none').slice(0, 100);
  return new ProviderError(
    `${context.provider} answered ${answer.status} with an unexpected body (${type})`,
    {
      provider: context.provider,
      fault: 'malformed',
      upstreamStatus: answer.status,
      upstreamRequestId,
      mayBeBilled: true,
      usage,
    },
  );
}
