import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Ctx, Metered } from '../auth/index';
import type { ChatRequest, RequestContext } from '../common/index';
import { CompletionPipeline } from '../execution/index';
import { ChatRequests } from './chat-requests';
import { metaHeaders, totalsHeaders } from './completion-headers';
import { CHAT_EXAMPLES, ChatCompletionRequestDto } from './dto/chat-completion.request.dto';
import { ChatCompletionResponseDto } from './dto/chat-completion.response.dto';
import { SseSink } from './sse-sink';
import { ApiChatHeaders } from './lattice-headers.decorator';

@ApiTags('inference')
@Controller('v1/chat')
export class ChatController {
  constructor(
    private readonly pipeline: CompletionPipeline,
    private readonly requests: ChatRequests,
  ) {}

  @Post('completions')
  @HttpCode(200)
  @Metered()
  @ApiOperation({
    operationId: 'createChatCompletion',
    summary: 'Answer a chat request in the OpenAI dialect, routed and billed',
    description:
      'Takes what OpenAI’s endpoint takes. `model` may be `auto`, `auto:cheap`, `auto:best`, `auto:fast` or a concrete id; ' +
      'with `stream: true` the answer comes as server-sent events.',
  })
  @ApiChatHeaders()
  @ApiBody({ type: ChatCompletionRequestDto, examples: CHAT_EXAMPLES })
  @ApiOkResponse({ type: ChatCompletionResponseDto })
  async create(
    @Ctx() ctx: RequestContext,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const chat = this.requests.read(request);
    if (chat.body.stream === true) await this.stream(ctx, chat, request, reply);
    else await this.answer(ctx, chat, reply);
  }

  private async answer(ctx: RequestContext, chat: ChatRequest, reply: FastifyReply): Promise<void> {
    const { meta, totals, body, rawBody } = await this.pipeline.run(ctx, chat);
    void reply
      .headers(metaHeaders(meta))
      .headers(totalsHeaders(totals))
      .type('application/json; charset=utf-8')
      .send(rawBody ?? JSON.stringify(body));
  }

  private async stream(
    ctx: RequestContext,
    chat: ChatRequest,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    await this.pipeline.run(ctx, chat, new SseSink(reply, request.lattice.apiRequestId, ctx.signal));
  }
}
