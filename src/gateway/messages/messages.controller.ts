import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Ctx, Metered } from '../../auth/index';
import type { RequestContext } from '../../common/index';
import { CompletionPipeline } from '../../execution/index';
import { metaHeaders, totalsHeaders } from '../completion-headers';
import { MESSAGE_EXAMPLES, MessageRequestDto } from './dto/message.request.dto';
import { MessageResponseDto } from './dto/message.response.dto';
import { MessageRequests } from './message-requests';
import { MessageSink } from './message-sink';
import type { MessagesRequest } from './request';
import { toMessage } from './response';
import { ApiChatHeaders } from '../lattice-headers.decorator';

@ApiTags('inference')
@Controller('v1/messages')
export class MessagesController {
  constructor(
    private readonly pipeline: CompletionPipeline,
    private readonly requests: MessageRequests,
  ) {}

  @Post()
  @HttpCode(200)
  @Metered()
  @ApiOperation({
    operationId: 'createMessage',
    summary: 'Answer a chat request in Anthropic’s dialect, routed and billed',
    description:
      'Takes what Anthropic’s Messages API takes, for any model: `model` may be `auto`, `auto:cheap`, `auto:best`, ' +
      '`auto:fast`, or a concrete id of any provider. Errors have Anthropic’s shape. What a model cannot be asked for is ' +
      'refused or listed in `x-lattice-warnings`.',
  })
  @ApiHeader({ name: 'anthropic-version', required: false, description: 'Accepted, and not needed' })
  @ApiChatHeaders()
  @ApiBody({ type: MessageRequestDto, examples: MESSAGE_EXAMPLES })
  @ApiOkResponse({ type: MessageResponseDto })
  async create(
    @Ctx() ctx: RequestContext,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const asked = this.requests.read(request);
    const { apiRequestId } = request.lattice;
    void reply.header('request-id', apiRequestId);
    if (asked.chat.body.stream !== true) return await this.answer(ctx, asked, reply);
    await this.pipeline.run(ctx, asked.chat, new MessageSink(reply, apiRequestId, asked, ctx.signal));
  }

  private async answer(ctx: RequestContext, asked: MessagesRequest, reply: FastifyReply): Promise<void> {
    const completion = await this.pipeline.run(ctx, asked.chat);
    const { meta, totals } = completion;
    void reply
      .headers(metaHeaders(meta))
      .headers(totalsHeaders(totals))
      .type('application/json; charset=utf-8')
      .send(JSON.stringify(toMessage(completion, asked)));
  }
}
