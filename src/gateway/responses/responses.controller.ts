import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Ctx, Metered } from '../../auth/index';
import type { RequestContext } from '../../common/index';
import { CompletionPipeline } from '../../execution/index';
import { metaHeaders, totalsHeaders } from '../completion-headers';
import { RESPONSE_EXAMPLES, ResponseRequestDto } from './dto/response.request.dto';
import { ResponseDto } from './dto/response.response.dto';
import type { ResponsesRequest } from './request';
import { toResponse } from './response';
import { ResponseRequests } from './response-requests';
import { ResponseSink } from './response-sink';
import { StoredResponses } from './stored-responses.service';
import { ApiChatHeaders } from '../lattice-headers.decorator';

@ApiTags('inference')
@Controller('v1/responses')
export class ResponsesController {
  constructor(
    private readonly pipeline: CompletionPipeline,
    private readonly requests: ResponseRequests,
    private readonly stored: StoredResponses,
  ) {}

  @Post()
  @HttpCode(200)
  @Metered()
  @ApiOperation({
    operationId: 'createResponse',
    summary: 'Answer a request of OpenAI’s Responses API, routed and billed',
    description:
      'Takes what OpenAI’s Responses API takes, for any model: `model` may be `auto`, `auto:cheap`, `auto:best`, ' +
      '`auto:fast`, or a concrete id of any provider. Unless `store` is false the response is kept for 30 days, and ' +
      '`previous_response_id` goes on from it. What a model cannot be asked for is refused or listed in `x-lattice-warnings`.',
  })
  @ApiChatHeaders()
  @ApiBody({ type: ResponseRequestDto, examples: RESPONSE_EXAMPLES })
  @ApiOkResponse({ type: ResponseDto })
  async create(
    @Ctx() ctx: RequestContext,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const asked = await this.requests.read(ctx, request);
    if (asked.chat.body.stream !== true) return await this.answer(ctx, asked, reply);
    const sink = new ResponseSink(reply, request.lattice.apiRequestId, asked, ctx.signal);
    await this.pipeline.run(ctx, asked.chat, sink);
    await sink.close((response) => this.stored.keep(ctx, asked, response));
  }

  private async answer(ctx: RequestContext, asked: ResponsesRequest, reply: FastifyReply): Promise<void> {
    const completion = await this.pipeline.run(ctx, asked.chat);
    const response = toResponse(completion, asked);
    const { meta, totals } = completion;
    const warning = await this.stored.keep(ctx, asked, response);
    const warnings = warning ? [...meta.warnings, warning] : meta.warnings;
    void reply
      .headers(metaHeaders({ ...meta, warnings }))
      .headers(totalsHeaders(totals))
      .type('application/json; charset=utf-8')
      .send(JSON.stringify(warning ? { ...response, store: false } : response));
  }
}
