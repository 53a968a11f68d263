import { Body, Controller, Get, HttpCode, Param, Patch, Post } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiBearerAuth,
  ApiBody,
  ApiConflictResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import { Ctx, OwnedBy, Requires } from '../../auth/index';
import type { RequestContext } from '../../common/index';
import { PLAN } from '../project';
import {
  APPROVE_PLAN_EXAMPLES,
  ApprovePlanRequestDto,
  UPDATE_PLAN_EXAMPLES,
  UpdatePlanRequestDto,
} from './dto/plan.request.dto';
import { ApprovalDto, PlanDto } from './dto/plan.response.dto';
import { PlanApproval } from './plan-approval.service';
import { PlanPages } from './plan.pages';
import { PlansService } from './plans.service';

const ID = { name: 'id', type: String, example: 'pln_0192f0c1a2b37c4d8e5f60718293a4b5' };
const FOREIGN = { description: 'No such plan, or not yours' };

@ApiTags('projects')
@ApiBearerAuth()
@OwnedBy(PLAN)
@Controller('api/v1/plans/:id')
export class PlansController {
  constructor(
    private readonly pages: PlanPages,
    private readonly plans: PlansService,
    private readonly approval: PlanApproval,
  ) {}

  @Requires('projects:read')
  @Get()
  @ApiOperation({ operationId: 'getPlan', summary: 'A plan with its tasks and warnings' })
  @ApiParam(ID)
  @ApiOkResponse({ type: PlanDto })
  @ApiNotFoundResponse(FOREIGN)
  get(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<PlanDto> {
    return this.pages.get(ctx, id);
  }

  @Requires('projects:write')
  @Patch()
  @ApiOperation({
    operationId: 'updatePlan',
    summary: 'Change a plan before it is approved',
    description: 'All tasks are checked anew; what was wrong with their dependencies stands in the warnings.',
  })
  @ApiParam(ID)
  @ApiBody({ type: UpdatePlanRequestDto, examples: UPDATE_PLAN_EXAMPLES })
  @ApiOkResponse({ type: PlanDto })
  @ApiNotFoundResponse(FOREIGN)
  @ApiBadRequestResponse({
    description: '`PLAN_CYCLE` with `details.path`, or `UNKNOWN_AGENT` with `details.known`',
  })
  @ApiConflictResponse({ description: '`INVALID_STATUS`: it is not ready' })
  async update(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Body() body: UpdatePlanRequestDto,
  ): Promise<PlanDto> {
    return PlanDto.of(await this.plans.update(ctx, id, UpdatePlanRequestDto.change(body)));
  }

  @Requires('projects:write')
  @Post('approve')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'approvePlan',
    summary: 'Turn a plan into tasks, once',
    description:
      'Approving again answers with the same run. A run that was approved before and never began is dropped.',
  })
  @ApiParam(ID)
  @ApiBody({ type: ApprovePlanRequestDto, examples: APPROVE_PLAN_EXAMPLES })
  @ApiOkResponse({ type: ApprovalDto })
  @ApiNotFoundResponse(FOREIGN)
  @ApiConflictResponse({
    description: '`WARNINGS_NOT_CONFIRMED` with `details.warnings`, or `INVALID_STATUS`: it is not ready',
  })
  async approve(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Body() body: ApprovePlanRequestDto,
  ): Promise<ApprovalDto> {
    return ApprovalDto.of(await this.approval.approve(ctx, id, ApprovePlanRequestDto.options(body)));
  }
}
