import { Body, Controller, Delete, Get, Post, Query, Req } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiConsumes,
  ApiCreatedResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Admin, Ctx, Owned } from '../../auth/index';
import type { RequestContext } from '../../common/index';
import { CSV_TYPE, IMPORT_PATH } from './csv-bodies';
import { CreateOutcomesRequestDto, OUTCOMES_EXAMPLES } from './dto/create-outcomes.request.dto';
import {
  ImportOutcomesQueryDto,
  ListOutcomesQueryDto,
  RemoveOutcomesQueryDto,
} from './dto/outcome.query.dto';
import { OutcomePageDto, RemovedOutcomesDto, StoredOutcomesDto } from './dto/outcome.response.dto';
import { OutcomePages } from './outcome.pages';

const FILE_EXAMPLE = [
  'pool,prompt_id,task_type,dataset,model,score,cost_usd,in_tokens,out_tokens',
  'example,p1,SUMMARIZATION,news,sandbox/small,0.9,0.00012,812,96',
  'example,p1,SUMMARIZATION,news,sandbox/large,1,0.0024,812,110',
].join('\n');

@ApiTags('routing')
@ApiBearerAuth()
@Controller('api/v1/routing/outcomes')
export class OutcomesController {
  constructor(private readonly pages: OutcomePages) {}

  @Post()
  @Admin()
  @ApiOperation({
    operationId: 'createOutcomes',
    summary: 'Report how well models did; everybody’s routing learns from it at once',
    description:
      'Up to 1,000 per call, stored whole or not at all. Unknown models are stored and change nothing.',
  })
  @ApiBody({ type: CreateOutcomesRequestDto, examples: OUTCOMES_EXAMPLES })
  @ApiCreatedResponse({ type: StoredOutcomesDto })
  async create(
    @Ctx() ctx: RequestContext,
    @Body() { outcomes }: CreateOutcomesRequestDto,
  ): Promise<StoredOutcomesDto> {
    return await this.pages.create(ctx, outcomes);
  }

  @Post(IMPORT_PATH)
  @Admin()
  @ApiOperation({
    operationId: 'importOutcomes',
    summary: 'Report outcomes as a CSV file (`text/csv`, UTF-8)',
    description:
      'Columns in any order: `task_type`, `model`, `score` (0 to 1), and where known `pool`, `prompt_id`, `dataset`, `cost_usd`, ' +
      '`in_tokens`, `out_tokens`. As large as BODY_LIMIT_BYTES allows. A wrong line is named, and then nothing is stored. ' +
      'The same pool, prompt and model again replaces.',
  })
  @ApiConsumes(CSV_TYPE)
  @ApiBody({ schema: { type: 'string', example: FILE_EXAMPLE } })
  @ApiCreatedResponse({ type: StoredOutcomesDto })
  async import(
    @Ctx() ctx: RequestContext,
    @Req() request: FastifyRequest,
    @Query() { pool }: ImportOutcomesQueryDto,
  ): Promise<StoredOutcomesDto> {
    return await this.pages.import(ctx, request.body, pool);
  }

  @Get()
  @Owned()
  @ApiOperation({
    operationId: 'listOutcomes',
    summary: 'Outcomes that you reported, feedback included, newest first; administrators: all',
  })
  @ApiOkResponse({ type: OutcomePageDto })
  async list(@Ctx() ctx: RequestContext, @Query() query: ListOutcomesQueryDto): Promise<OutcomePageDto> {
    return await this.pages.list(ctx, query);
  }

  @Delete()
  @Admin()
  @ApiOperation({
    operationId: 'deleteOutcomes',
    summary: 'Delete outcomes by what they have in common; routing unlearns them at once',
  })
  @ApiOkResponse({ type: RemovedOutcomesDto })
  async remove(
    @Ctx() ctx: RequestContext,
    @Query() query: RemoveOutcomesQueryDto,
  ): Promise<RemovedOutcomesDto> {
    return await this.pages.remove(ctx, query);
  }
}
