import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiForbiddenResponse,
  ApiNoContentResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import { Ctx, Owned } from '../auth/index';
import type { RequestContext } from '../common/index';
import { BudgetsService } from './budgets.service';
import {
  BUDGET_EXAMPLES,
  CreateBudgetRequestDto,
  ListBudgetsQueryDto,
  UpdateBudgetRequestDto,
} from './dto/budget.request.dto';
import { BudgetPageDto, BudgetResponseDto } from './dto/budget.response.dto';

const ID = { name: 'id', type: String, example: 'bud_0192f0c0a1b27c3d8e4f5a6b7c8d9e0f' };
const NOT_FOUND = { description: 'No such budget, or not yours' };
const FORBIDDEN = {
  description:
    'Operators set the budgets of their own keys, projects and runs only, and not those that an administrator set; no key sets its own',
};

@ApiTags('budgets')
@ApiBearerAuth()
@Controller('api/v1/budgets')
export class BudgetsController {
  constructor(private readonly budgets: BudgetsService) {}

  @Post()
  @Owned()
  @ApiOperation({
    operationId: 'createBudget',
    summary: 'Set a budget for the installation, a user, a project, a key or a run',
    description: 'What the scope has spent in the current period counts at once.',
  })
  @ApiBody({ type: CreateBudgetRequestDto, examples: BUDGET_EXAMPLES })
  @ApiCreatedResponse({ type: BudgetResponseDto })
  @ApiForbiddenResponse(FORBIDDEN)
  @ApiNotFoundResponse({ description: 'No such user, key, project or run, or not yours' })
  @ApiConflictResponse({ description: 'The scope has a budget for this period already' })
  async create(@Ctx() ctx: RequestContext, @Body() body: CreateBudgetRequestDto): Promise<BudgetResponseDto> {
    return await this.budgets.create(ctx, body);
  }

  @Get()
  @Owned()
  @ApiOperation({
    operationId: 'listBudgets',
    summary:
      'Budgets of yourself, your keys, projects and runs with spent, held and remaining; administrators: all',
  })
  @ApiOkResponse({ type: BudgetPageDto })
  async list(@Ctx() ctx: RequestContext, @Query() query: ListBudgetsQueryDto): Promise<BudgetPageDto> {
    return await this.budgets.list(ctx, query);
  }

  @Get(':id')
  @Owned()
  @ApiOperation({ operationId: 'getBudget', summary: 'A budget with spent, held and remaining' })
  @ApiParam(ID)
  @ApiOkResponse({ type: BudgetResponseDto })
  @ApiNotFoundResponse(NOT_FOUND)
  async get(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<BudgetResponseDto> {
    return await this.budgets.get(ctx, id);
  }

  @Patch(':id')
  @Owned()
  @ApiOperation({
    operationId: 'updateBudget',
    summary: 'Change the amount or the mode, from the next request on',
  })
  @ApiParam(ID)
  @ApiOkResponse({ type: BudgetResponseDto })
  @ApiForbiddenResponse(FORBIDDEN)
  @ApiNotFoundResponse(NOT_FOUND)
  async update(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Body() body: UpdateBudgetRequestDto,
  ): Promise<BudgetResponseDto> {
    return await this.budgets.update(ctx, id, body);
  }

  @Delete(':id')
  @HttpCode(204)
  @Owned()
  @ApiOperation({ operationId: 'deleteBudget', summary: 'Take a budget away; the usage lines stay' })
  @ApiParam(ID)
  @ApiNoContentResponse({ description: 'Deleted' })
  @ApiForbiddenResponse(FORBIDDEN)
  @ApiNotFoundResponse(NOT_FOUND)
  async remove(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<void> {
    await this.budgets.remove(ctx, id);
  }
}
