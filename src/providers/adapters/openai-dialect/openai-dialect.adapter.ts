import { callHeaders } from '../../call-headers';
import { type Dispatcher, Pool } from 'undici';
import { isJsonObject, type JsonObject, type ProviderId, type TokenUsage } from '../../../common/index';
import type { ProviderSettings } from '../../../config/index';
import { ProviderError } from '../../provider.errors';
import type {
  ChatCall,
  ChatResult,
  ChatStream,
  EmbedCall,
  EmbedResult,
  KeptThought,
  ProviderAdapter,
  RecallCall,
} from '../../provider.port';
import { type Endpoint, endpointOf } from './endpoint';
import { textsOf } from '../embedding';
import type { ErrorContext } from '../safe-message';
import { KeptThoughts } from '../ai-sdk/kept-thoughts';
import { usesTools } from '../openai-responses/request';
import { accountOf, CallThoughts } from '../openai-responses/thoughts';
import { ToolsOverResponses } from '../openai-responses/tools-over-responses';
import { embeddingsBody, embedResult } from './embeddings';
import { answerError } from './errors';
import { Exchange, type UpstreamAnswer } from './exchange';
import { malformed } from './malformed';
import { chatBody, streamBody } from './request';
import { chatResult, jsonObjectOf } from './response';
import { StreamExchange } from './stream-exchange';
import { tokenUsage } from './usage';

/** Enough for any load one process can carry; beyond it calls wait for a connection up to `connectMs`. */
const CONNECTIONS = 1024;
/** Only an upper bound: the model's own `connectMs` is what counts. */
const CONNECT_LIMIT_MS = 60_000;
const LIST_LIMITS = { connectMs: 5_000, totalMs: 10_000 } as const;

/** What adapters share. */
export interface DialectResources {
  readonly thoughts?: KeptThoughts;
}

/**
 * Every provider that speaks OpenAI's chat dialect itself: openai, xai, azure, dial, local (Ollama's /v1) and compatible
 * servers. Bodies pass through as they are; only tools of models that take none over this API go over the Responses API,
 * where the provider has it. One keep-alive pool per adapter; idle sockets are given up after undici's 4 s, below the 5 s
 * after which common servers close them, so that a request is not written to a dying socket.
 */
export class OpenAiDialectAdapter implements ProviderAdapter {
  protected readonly endpoint: Endpoint;
  private readonly pool: Pool;
  private readonly commonHeaders: readonly string[];
  private responses?: ToolsOverResponses;
  private readonly jsonHeaders: readonly string[];
  private readonly eventHeaders: readonly string[];

  constructor(
    readonly provider: ProviderId,
    private readonly settings: ProviderSettings,
    private readonly resources: DialectResources = {},
    private readonly sharedPool?: Pool,
  ) {
    this.endpoint = endpointOf(provider, settings);
    this.pool = sharedPool ?? newPool(this.endpoint.origin);
    const { headers } = this.endpoint;
    this.commonHeaders = ['content-type', 'application/json', 'user-agent', 'lattice', ...headers];
    this.jsonHeaders = ['accept', 'application/json', ...this.commonHeaders];
    this.eventHeaders = ['accept', 'text/event-stream', ...this.commonHeaders];
  }

  async chat(call: ChatCall): Promise<ChatResult> {
    const responses = this.responsesFor(call);
    if (responses) return await responses.chat(call);
    const context = this.contextOf(call);
    const exchange = new Exchange(context, call.model.timeouts, call.signal);
    exchange.start(this.pool, this.post(call, chatBody(call), this.jsonHeaders));
    const answer = await exchange.answer;
    const body = jsonObjectOf(answer.body);
    if (answer.status >= 300) throw answerError(context, { ...answer, body });
    // The body decides, not its label: a paid answer is not thrown away over a content type.
    const result = body && chatResult(body, answer.body, answer.headers);
    if (!result) throw malformed(context, answer, usageIn(answer));
    return result;
  }

  async chatStream(call: ChatCall): Promise<ChatStream> {
    const responses = this.responsesFor(call);
    if (responses) return await responses.chatStream(call);
    const context = this.contextOf(call);
    const exchange = new StreamExchange(context, call.model.timeouts, call.signal);
    const body = streamBody(call, this.endpoint.asksStreamUsage);
    exchange.start(this.pool, this.post(call, body, this.eventHeaders));
    const answer = await exchange.answer;
    if (answer.stream) return answer.stream;
    if (answer.status >= 300) throw answerError(context, { ...answer, body: jsonObjectOf(answer.body) });
    throw malformed(context, answer, usageIn(answer));
  }

  async recall(call: RecallCall): Promise<readonly KeptThought[]> {
    return (await this.responsesFor(call)?.recall(call)) ?? [];
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
    if (!result) throw malformed(context, answer, usageIn(answer));
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
    return new OpenAiDialectAdapter(this.provider, settings, this.resources, this.pool);
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

  private responsesFor({ model, body }: RecallCall): ToolsOverResponses | undefined {
    const { responsesPath } = this.endpoint;
    if (model.toolsApi !== 'responses' || responsesPath === undefined || !usesTools(body)) return undefined;
    return (this.responses ??= this.newResponses(responsesPath));
  }

  private newResponses(path: string): ToolsOverResponses {
    const account = accountOf(this.endpoint.origin, this.settings.apiKey);
    const thoughts = new CallThoughts(this.resources.thoughts ?? new KeptThoughts(), account);
    const { pool: dispatcher, commonHeaders: headers } = this;
    const contextOf = (call: ChatCall): ErrorContext => this.contextOf(call);
    return new ToolsOverResponses({ dispatcher, path, headers, contextOf }, thoughts);
  }

  private contextOf(call: ChatCall): ErrorContext {
    return { provider: this.provider, apiKey: this.settings.apiKey, body: call.body };
  }

  private post(call: ChatCall, body: string, headers: readonly string[]): Dispatcher.DispatchOptions {
    return {
      method: 'POST',
      path: this.endpoint.chatPath(call.model.upstreamId),
      headers: [...headers, ...callHeaders(call)],
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

function usageIn({ body }: UpstreamAnswer): TokenUsage {
  return tokenUsage(jsonObjectOf(body)?.usage);
}
