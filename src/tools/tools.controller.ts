import { Controller, Get, Param, Query } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import { Ctx, noSuch, Owned } from '../auth/index';
import { PageQueryDto, type RequestContext } from '../common/index';
import { ToolPageResponseDto, ToolResponseDto } from './dto/tool.response.dto';
import { ToolRegistry } from './tool-registry';

@ApiTags('tools')
@ApiBearerAuth()
@Controller('api/v1/tools')
export class ToolsController {
  constructor(private readonly registry: ToolRegistry) {}

  @Get()
  @Owned()
  @ApiOperation({
    operationId: 'listTools',
    summary: 'Server-side tools: those that a request may enable, and why others cannot be used now',
    description: 'Enable them in a chat request with `"lattice": {"tools": ["current_time"]}`.',
  })
  @ApiOkResponse({ type: ToolPageResponseDto })
  async list(@Ctx() ctx: RequestContext, @Query() query: PageQueryDto): Promise<ToolPageResponseDto> {
    await this.registry.ready(ctx);
    return ToolPageResponseDto.from(this.registry.states(ctx), query.limit, query.cursor);
  }

  @Get(':name')
  @Owned()
  @ApiOperation({ operationId: 'getTool', summary: 'One tool and the schema of its arguments' })
  @ApiParam({ name: 'name', example: 'current_time' })
  @ApiOkResponse({ type: ToolResponseDto })
  @ApiNotFoundResponse({ description: 'No such tool, or not yours' })
  async get(@Ctx() ctx: RequestContext, @Param('name') name: string): Promise<ToolResponseDto> {
    await this.registry.ready(ctx, [name]);
    const known = this.registry.known(name, ctx);
    if (!known) throw noSuch({ name: 'tool' }, 'name');
    return ToolResponseDto.from(known.state);
  }
}
