import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Ctx, Owned } from '../auth/index';
import type { RequestContext } from '../common/index';
import { RouteExplanationDto, SelectionService } from '../selection/index';
import { ChatRequests } from './chat-requests';
import { CHAT_EXAMPLES, ChatCompletionRequestDto } from './dto/chat-completion.request.dto';

@ApiTags('routing')
@Controller('api/v1/route')
export class RouteController {
  constructor(
    private readonly selection: SelectionService,
    private readonly requests: ChatRequests,
  ) {}

  @Post()
  @HttpCode(200)
  @Owned()
  @ApiOperation({
    operationId: 'explainRoute',
    summary: 'Explain which model would answer, without calling one',
    description:
      'Same body as a chat request. Shows every candidate, each factor’s score, and what was filtered and why.',
  })
  @ApiBody({ type: ChatCompletionRequestDto, examples: CHAT_EXAMPLES })
  @ApiOkResponse({ type: RouteExplanationDto })
  explain(@Ctx() ctx: RequestContext, @Req() request: FastifyRequest): RouteExplanationDto {
    return this.selection.explain(ctx, this.requests.read(request));
  }
}
