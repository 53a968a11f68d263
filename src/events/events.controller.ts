import { Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiParam, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { AcceptsEventToken, Ctx, Owned, Requires } from '../auth/index';
import { PageQueryDto, type RequestContext } from '../common/index';
import { EventPageDto, EventTokenDto } from './dto/event.response.dto';
import { StreamQueryDto } from './dto/stream.query.dto';
import { EventHistory } from './event-history';
import { EventStreams } from './event-streams.service';
import { EventTokens } from './event-tokens';
import { lastEventIdOf, openEventStream } from './sse';

const Resource = (): MethodDecorator =>
  ApiParam({
    name: 'resource',
    type: String,
    example: 'me',
    description:
      '`me`, or the id of what is yours: `usr_…`, `key_…`, `bud_…`, `whk_…`; administrators also `global`.',
  });

@ApiTags('events')
@Controller('api/v1/events')
export class EventsController {
  constructor(
    private readonly streams: EventStreams,
    private readonly events: EventHistory,
    private readonly tokens: EventTokens,
  ) {}

  @Get(':resource')
  @Owned()
  @AcceptsEventToken('resource')
  @ApiOperation({
    operationId: 'streamEvents',
    summary: 'Follow what happens, as server-sent events',
    description:
      'Each event’s `data` is what the history lists, and its `id` is where a client goes on after a break ' +
      '(`Last-Event-ID`, which browsers send by themselves): nothing is skipped or repeated within 30 days. ' +
      'The stream ends when the service leaves or the credential is revoked; an error is its last event.',
  })
  @Resource()
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'The `id:` of the last event that you have.',
  })
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ description: 'The stream', schema: { type: 'string' } })
  async stream(
    @Ctx() ctx: RequestContext,
    @Param('resource') resource: string,
    @Query() query: StreamQueryDto,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const plan = await this.streams.plan(ctx, resource, lastEventIdOf(lastEventId) ?? query.after);
    // The handler ends here, so that no deadline runs: the stream has its own reasons to end.
    this.streams.start(plan, () => openEventStream(reply));
  }

  @Get(':resource/history')
  @Owned()
  @ApiOperation({ operationId: 'listEvents', summary: 'What has happened in the last 30 days, newest first' })
  @Resource()
  @ApiOkResponse({ type: EventPageDto })
  history(
    @Ctx() ctx: RequestContext,
    @Param('resource') resource: string,
    @Query() query: PageQueryDto,
  ): Promise<EventPageDto> {
    return this.events.page(ctx, resource, query);
  }

  @Post(':resource/token')
  @HttpCode(200)
  @Owned()
  @Requires('events:read')
  @ApiOperation({
    operationId: 'createEventToken',
    summary: 'A token of 60 seconds for one stream, for browsers’ EventSource',
  })
  @Resource()
  @ApiOkResponse({ type: EventTokenDto })
  token(@Ctx() ctx: RequestContext, @Param('resource') resource: string): Promise<EventTokenDto> {
    return this.tokens.issue(ctx, resource);
  }
}
