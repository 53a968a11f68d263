import { callHeaders } from '../../call-headers';
import type { Dispatcher } from 'undici';
import type { ChatCall, ChatResult, ChatStream, KeptThought, RecallCall } from '../../provider.port';
import type { ProviderError } from '../../provider.errors';
import { answerError, failureOf } from '../openai-dialect/errors';
import { Exchange, type UpstreamAnswer } from '../openai-dialect/exchange';
import { malformed } from '../openai-dialect/malformed';
import { jsonText } from '../openai-dialect/request';
import { jsonObjectOf, requestIdOf } from '../openai-dialect/response';
import type { ErrorContext } from '../safe-message';
import { tokenUsage } from '../openai-dialect/usage';
import { responsesRequest } from './request';
import { chatUsage, completionOf, outputItems } from './response';
import { ResponsesStreamExchange } from './responses-stream-exchange';
import type { CallThoughts } from './thoughts';

/** Where and as whom the calls are made. */
export interface ResponsesAccount {
  readonly dispatcher: Dispatcher;
  /** Path and query. */
  readonly path: string;
  /** Names and values in turn, without `accept` and `x-request-id`. */
  readonly headers: readonly string[];
  readonly contextOf: (call: ChatCall) => ErrorContext;
}

/** Of thoughts that were encrypted for another account or region. */
const UNREADABLE = 'invalid_encrypted_content';

interface PreparedRequest {
  readonly context: ErrorContext;
  readonly options: Dispatcher.DispatchOptions;
  readonly warnings: readonly string[];
  readonly hasThoughts: boolean;
}

/** Chats with tools over `POST …/responses`, for models that take no tools over Chat Completions. */
export class ToolsOverResponses {
  constructor(
    private readonly account: ResponsesAccount,
    private readonly thoughts: CallThoughts,
  ) {}

  recall(call: RecallCall): Promise<readonly KeptThought[]> {
    return this.thoughts.find(call);
  }

  async chat(call: ChatCall): Promise<ChatResult> {
    const sent = await this.prepare(call, false);
    const exchange = new Exchange(sent.context, call.model.timeouts, call.signal);
    exchange.start(this.account.dispatcher, sent.options);
    const answer = await exchange.answer;
    const body = jsonObjectOf(answer.body);
    const facts = { upstreamRequestId: requestIdOf(answer.headers), warnings: sent.warnings };
    const result = answer.status < 300 && body ? completionOf(body, facts) : undefined;
    if (!result) throw await this.failure(call, sent, answer);
    await this.thoughts.keep(call, outputItems(body?.output));
    return result;
  }

  async chatStream(call: ChatCall): Promise<ChatStream> {
    const sent = await this.prepare(call, true);
    const exchange = new ResponsesStreamExchange(sent.context, {
      limits: call.model.timeouts,
      signal: call.signal,
      warnings: sent.warnings,
      keep: (output) => this.thoughts.keep(call, output),
    });
    exchange.start(this.account.dispatcher, sent.options);
    const answer = await exchange.answer;
    if (!answer.stream) throw await this.failure(call, sent, answer);
    return answer.stream;
  }

  /** @throws ValidationError when the request has no counterpart. */
  private async prepare(call: ChatCall, isStream: boolean): Promise<PreparedRequest> {
    const { path, headers } = this.account;
    const thoughts = await this.thoughts.recall(call);
    const { body, warnings } = responsesRequest(call, thoughts, isStream);
    const accept = isStream ? 'text/event-stream' : 'application/json';
    return {
      context: this.account.contextOf(call),
      warnings,
      hasThoughts: [...thoughts.values()].some(({ reasoning }) => reasoning.length > 0),
      options: {
        method: 'POST',
        path,
        headers: ['accept', accept, ...headers, ...callHeaders(call)],
        body: jsonText(body),
      },
    };
  }

  /** Thoughts that the provider cannot read are forgotten, so that another attempt at the same model goes without. */
  private async failure(
    call: ChatCall,
    { context, hasThoughts }: PreparedRequest,
    answer: UpstreamAnswer,
  ): Promise<ProviderError> {
    const body = jsonObjectOf(answer.body);
    if (answer.status < 300) return malformed(context, answer, tokenUsage(chatUsage(body?.usage)));
    const isUnreadable = hasThoughts && failureOf(body).code === UNREADABLE;
    if (isUnreadable) await this.thoughts.forget(call);
    return answerError(context, { ...answer, body }, isUnreadable ? 'retry' : undefined);
  }
}
