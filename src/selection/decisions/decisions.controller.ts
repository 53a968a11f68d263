import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiForbiddenResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
  ApiUnprocessableEntityResponse,
} from '@nestjs/swagger';
import { Ctx, Owned, OwnedBy, Requires } from '../../auth/index';
import type { RequestContext } from '../../common/index';
import { DecisionReplay } from './decision-replay.service';
import { DECISION } from './decisions.repository';
import { DecisionsService } from './decisions.service';
import { DecisionReplayDto } from '../dto/decision-replay.response.dto';
import { DecisionPageDto, DecisionResponseDto } from '../dto/decision.response.dto';
import { ListDecisionsQueryDto } from '../dto/list-decisions.query.dto';

const ID = { name: 'id', example: 'dec_0199a1b2c3d47e5f8a9b0c1d2e3f4a5b' };
const NOT_FOUND = { description: 'No such decision, or not yours' };

@ApiTags('routing')
@ApiBearerAuth()
@Controller('api/v1/decisions')
export class DecisionsController {
  constructor(
    private readonly decisions: DecisionsService,
    private readonly replays: DecisionReplay,
  ) {}

  @Get()
  @Owned()
  @ApiOperation({
    operationId: 'listDecisions',
    summary: 'Your routing decisions, newest first; administrators: everybody’s',
  })
  @ApiOkResponse({ type: DecisionPageDto })
  @ApiForbiddenResponse({ description: 'Only administrators may ask for another user’s' })
  async list(@Ctx() ctx: RequestContext, @Query() query: ListDecisionsQueryDto): Promise<DecisionPageDto> {
    return await this.decisions.list(ctx, query);
  }

  @Get(':id')
  @OwnedBy(DECISION)
  @ApiOperation({
    operationId: 'getDecision',
    summary: 'Why a request went where it went',
    description: 'The id stands in the `x-lattice-decision-id` header of every answer.',
  })
  @ApiParam(ID)
  @ApiOkResponse({ type: DecisionResponseDto })
  @ApiNotFoundResponse(NOT_FOUND)
  async get(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<DecisionResponseDto> {
    return await this.decisions.get(ctx, id);
  }

  @Post(':id/replay')
  @HttpCode(200)
  @OwnedBy(DECISION)
  @Requires('decisions:read')
  @ApiOperation({
    operationId: 'replayDecision',
    summary: 'Make a decision again, from what is stored of it',
    description:
      'Gives the same answer, or says what changed since and what would be decided now. Calls no model and changes nothing.',
  })
  @ApiParam(ID)
  @ApiOkResponse({ type: DecisionReplayDto })
  @ApiNotFoundResponse(NOT_FOUND)
  @ApiUnprocessableEntityResponse({
    description: 'Its record holds too little: it is older than replays, or about embeddings',
  })
  async replay(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<DecisionReplayDto> {
    return await this.replays.replay(ctx, id);
  }
}
