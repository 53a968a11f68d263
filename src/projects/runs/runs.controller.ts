import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiConflictResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import { Ctx, ownedId, OwnedBy } from '../../auth/index';
import { PageQueryDto, type RequestContext } from '../../common/index';
import { ProjectDto } from '../dto/project.response.dto';
import { PROJECT } from '../project';
import { ProjectPages } from '../project.pages';
import { ListTasksQueryDto } from '../tasks/dto/task.request.dto';
import { TaskPageDto } from '../tasks/dto/task.response.dto';
import { TaskPages } from '../tasks/task.pages';
import { FORK_EXAMPLES, ForkRequestDto } from './dto/run.request.dto';
import { RunDto, RunPageDto } from './dto/run.response.dto';
import { RunControlService } from './run-control.service';
import { RunForks } from './run-forks.service';
import { RunPages } from './run.pages';

const ID = { name: 'id', type: String, example: 'prj_0192f0c1a2b37c4d8e5f60718293a4b5' };
const FOREIGN = { description: 'No such project, or not yours' };
const CONFLICT = {
  description:
    '`INVALID_STATUS`: it is in no status for that; `details` name its status and those it may be in',
};

@ApiTags('projects')
@ApiBearerAuth()
@ApiNotFoundResponse(FOREIGN)
@OwnedBy(PROJECT)
@Controller('api/v1/projects/:id')
export class RunsController {
  constructor(
    private readonly control: RunControlService,
    private readonly forks: RunForks,
    private readonly pages: RunPages,
    private readonly projects: ProjectPages,
    private readonly tasks: TaskPages,
  ) {}

  @Post('start')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'startProject',
    summary: 'Let the agents begin with the approved tasks',
    description: 'A run that runs already is left as it is. Needs a worker (PROJECT_WORKER).',
  })
  @ApiParam(ID)
  @ApiOkResponse({ type: RunDto })
  @ApiConflictResponse(CONFLICT)
  async start(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<RunDto> {
    await this.control.start(ctx, ownedId(PROJECT, id));
    return await this.pages.newest(ctx, id);
  }

  @Post('pause')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'pauseProject',
    summary: 'Begin nothing more; tasks stop after the round they are in',
  })
  @ApiParam(ID)
  @ApiOkResponse({ type: RunDto })
  @ApiConflictResponse(CONFLICT)
  async pause(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<RunDto> {
    await this.control.pause(ctx, ownedId(PROJECT, id));
    return await this.pages.newest(ctx, id);
  }

  @Post('resume')
  @HttpCode(200)
  @ApiOperation({ operationId: 'resumeProject', summary: 'Go on where it was paused' })
  @ApiParam(ID)
  @ApiOkResponse({ type: RunDto })
  @ApiConflictResponse(CONFLICT)
  async resume(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<RunDto> {
    await this.control.resume(ctx, ownedId(PROJECT, id));
    return await this.pages.newest(ctx, id);
  }

  @Post('cancel')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'cancelProject',
    summary: 'End everything that is under way, wherever it is',
    description: 'Calls to providers are aborted within a second. Running tasks keep what they have by then.',
  })
  @ApiParam(ID)
  @ApiOkResponse({ type: ProjectDto })
  @ApiConflictResponse(CONFLICT)
  async cancel(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<ProjectDto> {
    await this.control.cancel(ctx, ownedId(PROJECT, id));
    return await this.projects.get(ctx, id);
  }

  @Post('fork')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'forkProject',
    summary: 'Repeat a run that has ended, from a task on or where it failed',
    description: 'Results that stand before that are reused: no model is asked for them again.',
  })
  @ApiParam(ID)
  @ApiBody({ type: ForkRequestDto, required: false, examples: FORK_EXAMPLES })
  @ApiOkResponse({ type: RunDto })
  @ApiConflictResponse(CONFLICT)
  async fork(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Body() body: ForkRequestDto = {},
  ): Promise<RunDto> {
    await this.forks.fork(ctx, ownedId(PROJECT, id), ForkRequestDto.options(body));
    return await this.pages.newest(ctx, id);
  }

  @Get('runs')
  @ApiOperation({ operationId: 'listRuns', summary: 'Its runs, newest first' })
  @ApiParam(ID)
  @ApiOkResponse({ type: RunPageDto })
  list(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Query() query: PageQueryDto,
  ): Promise<RunPageDto> {
    return this.pages.list(ctx, id, query);
  }

  @Get('tasks')
  @ApiOperation({
    operationId: 'listTasks',
    summary: 'Its tasks in the order of the plan, without their outputs',
  })
  @ApiParam(ID)
  @ApiOkResponse({ type: TaskPageDto })
  listTasks(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Query() query: ListTasksQueryDto,
  ): Promise<TaskPageDto> {
    return this.tasks.list(ctx, id, query);
  }
}
