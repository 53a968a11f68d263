import { Controller, Get, Headers, Param, Query, Res } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiHeader,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiProduces,
  ApiTags,
  ApiTooManyRequestsResponse,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { AcceptsEventToken, Ctx, OwnedBy, Requires } from '../../auth/index';
import type { RequestContext } from '../../common/index';
import { EventStreams, lastEventIdOf, openEventStream, StreamQueryDto } from '../../events/index';
import { MAX_FOLLOWERS, PROJECT } from '../project';

@ApiTags('projects')
@ApiBearerAuth()
@Controller('api/v1/projects/:id')
export class ProjectEventsController {
  constructor(private readonly streams: EventStreams) {}

  @Get('events')
  @OwnedBy(PROJECT)
  @AcceptsEventToken('id')
  @Requires('events:read')
  @ApiOperation({
    operationId: 'streamProjectEvents',
    summary: 'Follow a project, as server-sent events',
    description:
      'Each says what happened, to which task and by whom, what the run has cost so far, how much of it is done and how ' +
      'long the rest may take. After a break a client goes on where it was (`Last-Event-ID`), on any node: nothing is ' +
      'skipped or repeated. `GET /api/v1/events/{resource}/history` lists the same events.',
  })
  @ApiParam({ name: 'id', type: String, example: 'prj_0192f0c1a2b37c4d8e5f60718293a4b5' })
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'The `id:` of the last event that you have.',
  })
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ description: 'The stream', schema: { type: 'string' } })
  @ApiNotFoundResponse({ description: 'No such project, or not yours' })
  @ApiTooManyRequestsResponse({
    description: `\`TOO_MANY_EVENT_STREAMS\`: ${MAX_FOLLOWERS} follow it already`,
  })
  async stream(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Query() query: StreamQueryDto,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const after = lastEventIdOf(lastEventId) ?? query.after;
    const plan = await this.streams.plan(ctx, id, after);
    // The handler ends here, so that no deadline runs: the stream has its own reasons to end.
    this.streams.start(plan, () => openEventStream(reply));
  }
}
