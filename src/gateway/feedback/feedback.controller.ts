import { Body, Controller, Param, Post } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiCreatedResponse,
  ApiNotFoundResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import { Ctx, Owned } from '../../auth/index';
import type { RequestContext } from '../../common/index';
import { FeedbackService } from '../../scoring/index';
import { CreateFeedbackRequestDto } from './dto/feedback.request.dto';
import { FeedbackDto } from './dto/feedback.response.dto';

@ApiTags('inference')
@ApiBearerAuth()
@Controller('v1/chat/completions')
export class FeedbackController {
  constructor(private readonly feedback: FeedbackService) {}

  @Post(':id/feedback')
  @Owned()
  @ApiOperation({
    operationId: 'createFeedback',
    summary: 'Say how good an answer to you was; routing learns from it',
    description:
      'The id is that of the `x-lattice-request-id` header (`req_…`) or of `x-lattice-decision-id` (`dec_…`), or the ' +
      'answer’s own where Lattice made it: `msg_…`, `resp_…`, `chatcmpl-req_…`. An id that a provider made is not known here. ' +
      'Rating the same answer again replaces the rating. At most your newest 20 ratings of a model for a type of task count.',
  })
  @ApiParam({ name: 'id', type: String, example: 'req_0192f0c1a2b37c4d8e5f60718293a4b5' })
  @ApiCreatedResponse({ type: FeedbackDto })
  @ApiNotFoundResponse({ description: 'No such completion, or not yours' })
  async create(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Body() body: CreateFeedbackRequestDto,
  ): Promise<FeedbackDto> {
    return FeedbackDto.from(await this.feedback.rate(ctx, id, body));
  }
}
