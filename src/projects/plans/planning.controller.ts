import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBearerAuth,
  ApiBody,
  ApiConflictResponse,
  ApiForbiddenResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
  ApiTooManyRequestsResponse,
} from '@nestjs/swagger';
import { Ctx, OwnedBy } from '../../auth/index';
import { PageQueryDto, type RequestContext } from '../../common/index';
import { PROJECT } from '../project';
import { CREATE_PLAN_EXAMPLES, CreatePlanRequestDto } from './dto/plan.request.dto';
import { PlanDto, PlanPageDto } from './dto/plan.response.dto';
import { PlanPages } from './plan.pages';
import { PlanningService } from './planning.service';

const ID = { name: 'id', type: String, example: 'prj_0192f0c1a2b37c4d8e5f60718293a4b5' };
const FOREIGN = { description: 'No such project, or not yours' };

@ApiTags('projects')
@ApiBearerAuth()
@OwnedBy(PROJECT)
@Controller('api/v1/projects/:id')
export class PlanningController {
  constructor(
    private readonly planning: PlanningService,
    private readonly pages: PlanPages,
  ) {}

  @Post('plan')
  @HttpCode(202)
  @ApiOperation({
    operationId: 'planProject',
    summary: 'Let a model write a plan',
    description:
      'Answers at once; `GET /api/v1/plans/{id}` shows `ready` or `failed` some time later. Booked like any call, to the ' +
      'owner of the project and to the key that asked. Needs a worker (PROJECT_WORKER).',
  })
  @ApiParam(ID)
  @ApiBody({ type: CreatePlanRequestDto, examples: CREATE_PLAN_EXAMPLES })
  @ApiAcceptedResponse({ type: PlanDto })
  @ApiNotFoundResponse(FOREIGN)
  @ApiForbiddenResponse({ description: 'You, or your API key, may use no models' })
  @ApiConflictResponse({ description: '`INVALID_STATUS`: it is being planned or worked on' })
  @ApiTooManyRequestsResponse({ description: '`PLANNING_LIMIT_EXCEEDED`, with Retry-After' })
  async plan(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Body() body: CreatePlanRequestDto,
  ): Promise<PlanDto> {
    return PlanDto.of(await this.planning.begin(ctx, id, CreatePlanRequestDto.wanted(body)));
  }

  @Get('plans')
  @ApiOperation({ operationId: 'listPlans', summary: 'All plans of a project, newest first' })
  @ApiParam(ID)
  @ApiOkResponse({ type: PlanPageDto })
  @ApiNotFoundResponse(FOREIGN)
  list(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Query() query: PageQueryDto,
  ): Promise<PlanPageDto> {
    return this.pages.list(ctx, id, query);
  }
}
