import type { LanguageModelV4CallOptions, LanguageModelV4GenerateResult } from '@ai-sdk/provider';
import type { JsonValue } from '../../../common/index';
import { type AppError, ServiceUnavailableError } from '../../../errors/index';
import type { AttemptReport, ChatCall, ChatResult, ChatStream } from '../../provider.port';
import { AiSdkStream } from './ai-sdk-stream';
import { toProviderError, upstreamRequestId } from './errors';
import { Exchange } from './exchange';
import { finishReason, knownReason } from './finish-reason';
import { convertRequest } from './request';
import { type AnswerIdentity, chatCompletion, identityOf } from './response';
import type { UndiciTransport } from './undici-fetch';
import type { AiSdkVendor, ModelFactory } from './vendor';
import { warningTexts } from './warnings';

interface Prepared {
  readonly options: LanguageModelV4CallOptions;
  readonly warnings: readonly string[];
}

/** The chat half of an adapter over an AI SDK provider package: one call, one request upstream, no retries. */
export class AiSdkChat {
  constructor(
    private readonly vendor: AiSdkVendor,
    private readonly transport: UndiciTransport,
  ) {}

  async chat(call: ChatCall): Promise<ChatResult> {
    const factory = await this.vendor.load();
    const exchange = this.#exchange(call, false);
    try {
      const { options, warnings } = await this.#prepare(call, exchange);
      const result = await this.#model(factory, call, exchange).doGenerate(options);
      const answer = this.#result(result, warnings, call, exchange);
      await this.#watched(result, call);
      return answer;
    } catch (error) {
      throw this.#failure(error, exchange);
    } finally {
      exchange.finish();
    }
  }

  async chatStream(call: ChatCall): Promise<ChatStream> {
    const factory = await this.vendor.load();
    const exchange = this.#exchange(call, true);
    try {
      const { options, warnings } = await this.#prepare(call, exchange);
      const result = await this.#model(factory, call, exchange).doStream(options);
      const includeUsage = call.body.stream_options?.include_usage === true;
      const identity = fallbackIdentity(call);
      const watch = this.vendor.watch?.(call);
      const { vendor } = this;
      return new AiSdkStream(result, { vendor, exchange, identity, warnings, includeUsage, watch });
    } catch (error) {
      const failure = this.#failure(error, exchange);
      exchange.leave();
      throw failure;
    }
  }

  /** What this process could not do before anything was sent says nothing about the provider or the request. */
  #failure(error: unknown, exchange: Exchange): AppError {
    const isOurs = error instanceof ServiceUnavailableError && !exchange.isRequested && !exchange.endedBy;
    return isOurs ? error : toProviderError(error, exchange, this.vendor);
  }

  #exchange(call: ChatCall, isStream: boolean): Exchange {
    return new Exchange({ timeouts: call.model.timeouts, signal: call.signal, isStream, body: call.body });
  }

  #model(factory: ModelFactory, call: ChatCall, exchange: Exchange) {
    return factory(call.model.upstreamId, this.transport.fetchFor(exchange));
  }

  async #prepare(call: ChatCall, exchange: Exchange): Promise<Prepared> {
    const { options, warnings } = await this.vendor.refine(
      convertRequest(call.body, call.model, this.vendor),
      call,
    );
    const headers = {
      'x-request-id': call.requestId,
      ...(call.idempotencyKey !== undefined && { 'idempotency-key': call.idempotencyKey }),
    };
    return { options: { ...options, headers, abortSignal: exchange.signal }, warnings };
  }

  async #watched({ content }: LanguageModelV4GenerateResult, call: ChatCall): Promise<void> {
    const watch = this.vendor.watch?.(call);
    if (!watch) return;
    for (const part of content) watch.take(part);
    await watch.end();
  }

  #result(
    result: LanguageModelV4GenerateResult,
    warnings: readonly string[],
    call: ChatCall,
    exchange: Exchange,
  ): ChatResult {
    const { vendor } = this;
    const response = servedBy(result.response, vendor);
    const report: AttemptReport = {
      usage: vendor.usage(result.usage),
      rawUsage: result.usage.raw as JsonValue | undefined,
      finishReason: finishReason(knownReason(result.finishReason, vendor.stopReasons)),
      rawFinishReason: result.finishReason.raw,
      modelServed: response?.modelId,
      upstreamRequestId: upstreamRequestId(exchange, vendor),
      warnings: [...warnings, ...warningTexts(result.warnings, vendor)],
    };
    if (report.finishReason === 'error') throw toProviderError(undefined, exchange, vendor, report.usage);
    return {
      report,
      body: chatCompletion(result, report, identityOf(response, fallbackIdentity(call))),
    };
  }
}

function servedBy(
  response: LanguageModelV4GenerateResult['response'],
  vendor: AiSdkVendor,
): LanguageModelV4GenerateResult['response'] {
  return vendor.servedModel ? { ...response, modelId: vendor.servedModel(response?.body) } : response;
}

function fallbackIdentity(call: ChatCall): AnswerIdentity {
  return {
    id: `chatcmpl-${call.requestId}`,
    model: call.body.model,
    created: Math.floor(Date.now() / 1000),
  };
}
