import { Body, Controller, Get, HttpCode, Param, Patch, Post } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiBearerAuth,
  ApiConflictResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import { Ctx, OwnedBy } from '../../auth/index';
import type { RequestContext } from '../../common/index';
import { TASK } from '../project';
import { AnswerTaskRequestDto, RetryTaskRequestDto, UpdateTaskRequestDto } from './dto/task.request.dto';
import { TaskDto } from './dto/task.response.dto';
import { TaskChanges } from './task-changes.service';
import { TaskPages } from './task.pages';
import { TaskRetries } from './task-retries.service';

const ID = { name: 'id', type: String, example: 'tsk_0192f0c1a2b37c4d8e5f60718293a4b5' };
const MISSING = { description: 'No such task, or not yours' };
const CONFLICT = {
  description: 'It is in no state for that; `details` name its state and those it may be in',
};

@ApiTags('tasks')
@ApiBearerAuth()
@OwnedBy(TASK)
@Controller('api/v1/tasks')
export class TasksController {
  constructor(
    private readonly pages: TaskPages,
    private readonly changes: TaskChanges,
    private readonly retries: TaskRetries,
  ) {}

  @Get(':id')
  @ApiOperation({ operationId: 'getTask', summary: 'A task with its result' })
  @ApiParam(ID)
  @ApiOkResponse({ type: TaskDto })
  @ApiNotFoundResponse(MISSING)
  get(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<TaskDto> {
    return this.pages.get(ctx, id);
  }

  @Patch(':id')
  @ApiOperation({
    operationId: 'updateTask',
    summary: 'Change what a task shall do, unless it is running or has succeeded',
    description: 'A task that was changed begins anew: answers that were kept for it are not used any more.',
  })
  @ApiParam(ID)
  @ApiOkResponse({ type: TaskDto })
  @ApiNotFoundResponse(MISSING)
  @ApiConflictResponse(CONFLICT)
  async update(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Body() body: UpdateTaskRequestDto,
  ): Promise<TaskDto> {
    return await this.pages.show(await this.changes.update(ctx, id, UpdateTaskRequestDto.change(body)));
  }

  @Post(':id/retry')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'retryTask',
    summary: 'Try a task again that failed, was cancelled or was skipped',
    description: 'Its run goes on; tasks that were skipped because of it wait for it again.',
  })
  @ApiParam(ID)
  @ApiOkResponse({ type: TaskDto })
  @ApiBadRequestResponse({ description: '`RETRY_LIMIT`: it was tried as often as MAX_TASK_RETRIES allows' })
  @ApiNotFoundResponse(MISSING)
  @ApiConflictResponse(CONFLICT)
  async retry(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Body() body: RetryTaskRequestDto = {},
  ): Promise<TaskDto> {
    return await this.pages.show(await this.retries.retry(ctx, id, body.fresh ?? false));
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'cancelTask',
    summary: 'End a task wherever it is; what depends on it is skipped',
  })
  @ApiParam(ID)
  @ApiOkResponse({ type: TaskDto })
  @ApiNotFoundResponse(MISSING)
  @ApiConflictResponse(CONFLICT)
  async cancel(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<TaskDto> {
    return await this.pages.show(await this.changes.cancel(ctx, id));
  }

  @Post(':id/answer')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'answerTask',
    summary: 'Give the result of a task whose agent is a person',
  })
  @ApiParam(ID)
  @ApiOkResponse({ type: TaskDto })
  @ApiNotFoundResponse(MISSING)
  @ApiConflictResponse(CONFLICT)
  async answer(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Body() body: AnswerTaskRequestDto,
  ): Promise<TaskDto> {
    return await this.pages.show(await this.changes.answer(ctx, id, body.output));
  }
}
