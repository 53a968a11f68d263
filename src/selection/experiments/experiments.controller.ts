import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import { Admin, Ctx } from '../../auth/index';
import type { RequestContext } from '../../common/index';
import { ExperimentResultsDto } from './dto/experiment-results.response.dto';
import {
  CREATE_EXAMPLES,
  CreateExperimentRequestDto,
  UPDATE_EXAMPLES,
  UpdateExperimentRequestDto,
} from './dto/experiment.request.dto';
import { ExperimentDto, ExperimentPageDto } from './dto/experiment.response.dto';
import { ExperimentResultsQueryDto, ListExperimentsQueryDto } from './dto/list-experiments.query.dto';
import { ExperimentChanges } from './experiment-changes.service';
import { ExperimentPages } from './experiment.pages';

const ID = { name: 'id', type: String, example: 'exp_0192f0c1a2b37c4d8e5f60718293a4b5' };
const MISSING = { description: 'No such experiment' };

@ApiTags('routing')
@ApiBearerAuth()
@Admin()
@Controller('api/v1/routing/experiments')
export class ExperimentsController {
  constructor(
    private readonly changes: ExperimentChanges,
    private readonly pages: ExperimentPages,
  ) {}

  @Post()
  @ApiOperation({
    operationId: 'createExperiment',
    summary: 'Plan to split routed traffic between strategies or models',
    description:
      'A draft: nothing is split until it is started. Needs no provider: the examples work in the sandbox.',
  })
  @ApiBody({ type: CreateExperimentRequestDto, examples: CREATE_EXAMPLES })
  @ApiCreatedResponse({ type: ExperimentDto })
  async create(@Ctx() ctx: RequestContext, @Body() body: CreateExperimentRequestDto): Promise<ExperimentDto> {
    return ExperimentDto.from(await this.changes.create(ctx, CreateExperimentRequestDto.settings(body)));
  }

  @Get()
  @ApiOperation({ operationId: 'listExperiments', summary: 'Experiments, newest first' })
  @ApiOkResponse({ type: ExperimentPageDto })
  list(@Ctx() ctx: RequestContext, @Query() query: ListExperimentsQueryDto): Promise<ExperimentPageDto> {
    return this.pages.list(ctx, query);
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getExperiment', summary: 'One experiment' })
  @ApiParam(ID)
  @ApiOkResponse({ type: ExperimentDto })
  @ApiNotFoundResponse(MISSING)
  get(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<ExperimentDto> {
    return this.pages.get(ctx, id);
  }

  @Patch(':id')
  @ApiOperation({
    operationId: 'updateExperiment',
    summary: 'Change a draft; of a running experiment its name and share, of a stopped one its name',
  })
  @ApiParam(ID)
  @ApiBody({ type: UpdateExperimentRequestDto, examples: UPDATE_EXAMPLES })
  @ApiOkResponse({ type: ExperimentDto })
  @ApiNotFoundResponse(MISSING)
  @ApiConflictResponse({ description: 'It was started, and that would mix what is not alike' })
  async update(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Body() body: UpdateExperimentRequestDto,
  ): Promise<ExperimentDto> {
    return ExperimentDto.from(await this.changes.update(ctx, id, UpdateExperimentRequestDto.change(body)));
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ operationId: 'deleteExperiment', summary: 'Delete a draft' })
  @ApiParam(ID)
  @ApiNoContentResponse({ description: 'Deleted' })
  @ApiNotFoundResponse(MISSING)
  @ApiConflictResponse({ description: 'It was started: its results stay' })
  remove(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<void> {
    return this.changes.remove(ctx, id);
  }

  @Post(':id/start')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'startExperiment',
    summary: 'Split the traffic from the next request on',
    description: 'One per strategy runs at a time.',
  })
  @ApiParam(ID)
  @ApiOkResponse({ type: ExperimentDto })
  @ApiNotFoundResponse(MISSING)
  @ApiConflictResponse({
    description:
      'It was started before, another one runs (`details.experimentId`), or a model cannot be called now',
  })
  async start(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<ExperimentDto> {
    return ExperimentDto.from(await this.changes.start(ctx, id));
  }

  @Post(':id/stop')
  @HttpCode(200)
  @ApiOperation({ operationId: 'stopExperiment', summary: 'Route as ever; the results stay' })
  @ApiParam(ID)
  @ApiOkResponse({ type: ExperimentDto })
  @ApiNotFoundResponse(MISSING)
  @ApiConflictResponse({ description: 'It is not running' })
  async stop(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<ExperimentDto> {
    return ExperimentDto.from(await this.changes.stop(ctx, id));
  }

  @Get(':id/results')
  @ApiOperation({
    operationId: 'getExperimentResults',
    summary:
      'Cost, latency, errors and feedback per arm, with 95 % intervals, and each arm against the first',
  })
  @ApiParam(ID)
  @ApiOkResponse({ type: ExperimentResultsDto })
  @ApiNotFoundResponse(MISSING)
  results(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Query() query: ExperimentResultsQueryDto,
  ): Promise<ExperimentResultsDto> {
    return this.pages.resultsOf(ctx, id, query);
  }
}
