import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiConflictResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import { TaskFieldsDto } from '../../agents/index';
import { Ctx, Metered } from '../../auth/index';
import type { RequestContext } from '../../common/index';
import { AgentExecution } from './agent-execution.service';
import { AgentResultDto } from './dto/agent-result.response.dto';

@ApiTags('agents')
@ApiBearerAuth()
@Controller('api/v1/agents')
export class AgentExecutionController {
  constructor(private readonly agents: AgentExecution) {}

  @Post(':type/execute')
  @HttpCode(200)
  @Metered()
  @ApiOperation({
    operationId: 'executeAgent',
    summary: 'Give an agent one task, without a project, and wait for the result',
    description:
      'Its tools are run here. Not durable: it ends with the request. When it fails after its first answer, the result ' +
      'says so and holds what there was by then.',
  })
  @ApiParam({ name: 'type', type: String, example: 'writer' })
  @ApiOkResponse({ type: AgentResultDto })
  @ApiNotFoundResponse({ description: 'No such agent, or not yours' })
  @ApiConflictResponse({ description: 'The agent is a person' })
  async execute(
    @Ctx() ctx: RequestContext,
    @Param('type') type: string,
    @Body() body: TaskFieldsDto,
  ): Promise<AgentResultDto> {
    return AgentResultDto.from(await this.agents.execute(ctx, TaskFieldsDto.withAgent(body, type)));
  }
}
