import type { IncomingHttpHeaders } from 'node:http';
import type { ChatChunk } from '../../provider.port';
import type { EventDecoder } from '../openai-dialect/event-decoder';
import { requestIdOf } from '../openai-dialect/response';
import { StreamExchange, type StreamLimits } from '../openai-dialect/stream-exchange';
import type { JsonObject } from '../../../common/index';
import { ResponsesDecoder } from './stream';

export interface ResponsesStreamOptions {
  readonly limits: StreamLimits;
  readonly signal: AbortSignal;
  readonly warnings: readonly string[];
  /** Given the whole answer before the consumer learns that it is whole. Never rejects. */
  readonly keep: (output: readonly JsonObject[]) => Promise<void>;
}

/** A streamed answer of the Responses API. */
export class ResponsesStreamExchange extends StreamExchange {
  private told?: ResponsesDecoder;
  private isKept = false;

  constructor(
    context: StreamExchange['context'],
    private readonly options: ResponsesStreamOptions,
  ) {
    super(context, options.limits, options.signal);
  }

  protected override decoderOf(headers: IncomingHttpHeaders): EventDecoder {
    const { warnings } = this.options;
    return (this.told = new ResponsesDecoder({ upstreamRequestId: requestIdOf(headers), warnings }));
  }

  override async next(): Promise<IteratorResult<ChatChunk, undefined>> {
    const result = await super.next();
    if (this.told?.isDone && !this.isKept) {
      this.isKept = true;
      await this.options.keep(this.told.output);
    }
    return result;
  }
}
