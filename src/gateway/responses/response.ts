/** The response object of OpenAI's Responses API. */
import { type ChatMessage, isJsonObject, type JsonObject, type JsonValue, toApiId } from '../../common/index';
import type { AppError } from '../../errors/index';
import type { Completion, CompletionMeta, CompletionTotals } from '../../execution/index';
import { firstChoice } from '../messages/response';
import { type Item, itemsOf, outputOf } from './items';
import type { ResponsesRequest } from './request';
import { responseUsage } from './usage';

const TOO_MANY_REQUESTS = 429;

/** Why an answer is not whole although nothing went wrong, by the chat dialect's finish reason. */
const INCOMPLETE: Readonly<Record<string, string>> = {
  length: 'max_output_tokens',
  content_filter: 'content_filter',
};

/** What the upstream says of itself in an answer, or in a chunk of one. */
export interface Upstream {
  readonly model?: JsonValue;
  readonly service_tier?: JsonValue;
}

/** The response to a request while it is made and when it is done. */
export class ResponseDraft {
  private upstream: Upstream = {};

  constructor(
    private readonly request: ResponsesRequest,
    private readonly meta: Pick<CompletionMeta, 'requestId' | 'model'>,
  ) {}

  /** The latest word counts. */
  note({ model, service_tier: tier }: Upstream): void {
    this.upstream = { model: model ?? this.upstream.model, service_tier: tier ?? this.upstream.service_tier };
  }

  running(): JsonObject {
    return this.build('in_progress', []);
  }

  /** @param finishReason of the chat dialect; an upstream that gave none ended well all the same. */
  ended(
    items: readonly Item[],
    finishReason: JsonValue | undefined,
    { usage }: CompletionTotals,
  ): JsonObject {
    const reason = typeof finishReason === 'string' ? INCOMPLETE[finishReason] : undefined;
    const status = reason === undefined ? 'completed' : 'incomplete';
    return {
      ...this.build(status, outputOf(items, this.meta.requestId, status)),
      ...(reason === undefined
        ? { completed_at: Math.floor(Date.now() / 1000) }
        : { incomplete_details: { reason } }),
      usage: responseUsage(usage),
    };
  }

  /** A failed response is not kept. */
  failed(items: readonly Item[], error: AppError): JsonObject {
    return {
      ...this.build('failed', outputOf(items, this.meta.requestId, 'incomplete')),
      error: {
        code: error.status === TOO_MANY_REQUESTS ? 'rate_limit_exceeded' : 'server_error',
        message: error.message,
      },
      store: false,
    };
  }

  private build(status: string, output: readonly JsonObject[]): JsonObject {
    const { model, service_tier: tier } = this.upstream;
    const { createdAt, echo } = this.request;
    return {
      id: toApiId('resp', this.meta.requestId),
      object: 'response',
      created_at: createdAt,
      completed_at: null,
      status,
      error: null,
      incomplete_details: null,
      model: typeof model === 'string' ? model : this.meta.model,
      output,
      ...echo,
      service_tier: typeof tier === 'string' ? tier : echo.service_tier,
      usage: null,
    };
  }
}

/** The first choice is the only one that was asked for. */
export function toResponse({ meta, totals, body = {} }: Completion, request: ResponsesRequest): JsonObject {
  const { message, finish_reason: finishReason } = firstChoice(body);
  const items = isJsonObject(message) ? itemsOf(message as ChatMessage, request.showsSummary) : [];
  const draft = new ResponseDraft(request, meta);
  draft.note(body);
  return draft.ended(items, finishReason, totals);
}
