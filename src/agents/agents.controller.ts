import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import { Ctx, Owned } from '../auth/index';
import type { RequestContext } from '../common/index';
import { AgentPages } from './agent.pages';
import { AgentsService } from './agents.service';
import { CreateAgentRequestDto, UpdateAgentRequestDto } from './dto/agent.request.dto';
import { AgentDto, AgentPageDto } from './dto/agent.response.dto';
import { ListAgentsQueryDto } from './dto/list-agents.query.dto';

const TYPE = {
  name: 'type',
  type: String,
  example: 'coder',
  description: 'Its type, or the id of one that is not built in.',
};
const OWN_TYPE = { ...TYPE, example: 'translator' };
const FOREIGN = { description: 'No such agent, or not yours' };
const BUILT_IN = { description: 'It is built in' };

@ApiTags('agents')
@ApiBearerAuth()
@Controller('api/v1/agents')
export class AgentsController {
  constructor(
    private readonly agents: AgentsService,
    private readonly pages: AgentPages,
  ) {}

  @Owned()
  @Get()
  @ApiOperation({
    operationId: 'listAgents',
    summary: 'Built-in agents and your own, by type',
    description:
      'To find one for some work: `?capability=code&isAvailable=true`. Available are those whose model can be called ' +
      'with the credentials there are, by its script where the mode says so; interactive ones always are.',
  })
  @ApiOkResponse({ type: AgentPageDto })
  list(@Ctx() ctx: RequestContext, @Query() query: ListAgentsQueryDto): Promise<AgentPageDto> {
    return this.pages.list(ctx, query);
  }

  @Owned()
  @Post()
  @ApiOperation({
    operationId: 'createAgent',
    summary: 'Make an agent type of your own',
    description: 'Prompt and models are checked now, so that no task fails because of them.',
  })
  @ApiCreatedResponse({ type: AgentDto })
  @ApiConflictResponse({ description: 'The type is built in, or you have it already, or you have too many' })
  async create(@Ctx() ctx: RequestContext, @Body() body: CreateAgentRequestDto): Promise<AgentDto> {
    const settings = CreateAgentRequestDto.settings(body);
    return AgentDto.from(await this.agents.create(ctx, body.type, settings));
  }

  @Owned()
  @Get(':type')
  @ApiOperation({ operationId: 'getAgent', summary: 'One agent' })
  @ApiParam(TYPE)
  @ApiOkResponse({ type: AgentDto })
  @ApiNotFoundResponse(FOREIGN)
  async get(@Ctx() ctx: RequestContext, @Param('type') type: string): Promise<AgentDto> {
    return AgentDto.from(await this.agents.get(ctx, type));
  }

  @Owned()
  @Patch(':type')
  @ApiOperation({
    operationId: 'updateAgent',
    summary: 'Change an agent type of your own',
    description: 'Holds for tasks that begin from now on.',
  })
  @ApiParam(OWN_TYPE)
  @ApiOkResponse({ type: AgentDto })
  @ApiNotFoundResponse(FOREIGN)
  @ApiConflictResponse(BUILT_IN)
  async update(
    @Ctx() ctx: RequestContext,
    @Param('type') type: string,
    @Body() body: UpdateAgentRequestDto,
  ): Promise<AgentDto> {
    return AgentDto.from(await this.agents.update(ctx, type, UpdateAgentRequestDto.change(body)));
  }

  @Owned()
  @Delete(':type')
  @HttpCode(204)
  @ApiOperation({ operationId: 'deleteAgent', summary: 'Delete an agent type of your own' })
  @ApiParam(OWN_TYPE)
  @ApiNoContentResponse({ description: 'Deleted' })
  @ApiNotFoundResponse(FOREIGN)
  @ApiConflictResponse(BUILT_IN)
  remove(@Ctx() ctx: RequestContext, @Param('type') type: string): Promise<void> {
    return this.agents.remove(ctx, type);
  }
}
