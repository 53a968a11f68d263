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
import { Ctx, Owned, OwnedBy } from '../auth/index';
import type { RequestContext } from '../common/index';
import {
  CREATE_PROJECT_EXAMPLES,
  CreateProjectRequestDto,
  ListProjectsQueryDto,
  UPDATE_PROJECT_EXAMPLES,
  UpdateProjectRequestDto,
} from './dto/project.request.dto';
import { ProjectDto, ProjectPageDto } from './dto/project.response.dto';
import { PROJECT } from './project';
import { ProjectPages } from './project.pages';
import { ProjectsService } from './projects.service';

const ID = { name: 'id', type: String, example: 'prj_0192f0c1a2b37c4d8e5f60718293a4b5' };
const FOREIGN = { description: 'No such project, or not yours' };

@ApiTags('projects')
@ApiBearerAuth()
@Controller('api/v1/projects')
export class ProjectsController {
  constructor(
    private readonly projects: ProjectsService,
    private readonly pages: ProjectPages,
  ) {}

  @Owned()
  @Post()
  @ApiOperation({
    operationId: 'createProject',
    summary: 'Say what shall be done',
    description: 'A draft: nothing is asked or spent until it is planned.',
  })
  @ApiBody({ type: CreateProjectRequestDto, examples: CREATE_PROJECT_EXAMPLES })
  @ApiCreatedResponse({ type: ProjectDto })
  async create(@Ctx() ctx: RequestContext, @Body() body: CreateProjectRequestDto): Promise<ProjectDto> {
    return await this.pages.of(await this.projects.create(ctx, CreateProjectRequestDto.wanted(body)));
  }

  @Owned()
  @Get()
  @ApiOperation({
    operationId: 'listProjects',
    summary: 'Your projects, newest first, with their tasks and cost so far; administrators: all',
  })
  @ApiOkResponse({ type: ProjectPageDto })
  list(@Ctx() ctx: RequestContext, @Query() query: ListProjectsQueryDto): Promise<ProjectPageDto> {
    return this.pages.list(ctx, query);
  }

  @OwnedBy(PROJECT)
  @Get(':id')
  @ApiOperation({ operationId: 'getProject', summary: 'One project' })
  @ApiParam(ID)
  @ApiOkResponse({ type: ProjectDto })
  @ApiNotFoundResponse(FOREIGN)
  get(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<ProjectDto> {
    return this.pages.get(ctx, id);
  }

  @OwnedBy(PROJECT)
  @Patch(':id')
  @ApiOperation({ operationId: 'updateProject', summary: 'Change name, requirements or budget' })
  @ApiParam(ID)
  @ApiBody({ type: UpdateProjectRequestDto, examples: UPDATE_PROJECT_EXAMPLES })
  @ApiOkResponse({ type: ProjectDto })
  @ApiNotFoundResponse(FOREIGN)
  @ApiForbiddenResponse({ description: 'An administrator set the budget' })
  @ApiConflictResponse({
    description: '`INVALID_STATUS`: no requirements change while it is planned or carried out',
  })
  async update(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Body() body: UpdateProjectRequestDto,
  ): Promise<ProjectDto> {
    return await this.pages.of(await this.projects.update(ctx, id, UpdateProjectRequestDto.update(body)));
  }

  @OwnedBy(PROJECT)
  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'deleteProject',
    summary: 'End what is under way and delete plans, tasks, events and files',
    description: 'Usage lines, decisions and the audit log stay, with the id of the project.',
  })
  @ApiParam(ID)
  @ApiNoContentResponse({ description: 'Deleted' })
  @ApiNotFoundResponse(FOREIGN)
  remove(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<void> {
    return this.projects.remove(ctx, id);
  }
}
