import { PageQueryDto } from '../common/index';
import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Owned } from '../auth/index';
import { ToolPageResponseDto } from './dto/tool.response.dto';
import { ToolRegistry } from './tool-registry';

@ApiTags('tools')
@Controller('api/v1/tools')
export class ToolsController {
  constructor(private readonly registry: ToolRegistry) {}

  @Owned()
  @Get()
  @ApiOperation({
    operationId: 'listTools',
    summary: 'Server-side tools that a request may enable',
    description: 'Enable them in a chat request with `"lattice": {"tools": ["current_time"]}`.',
  })
  @ApiOkResponse({ type: ToolPageResponseDto })
  list(@Query() query: PageQueryDto): ToolPageResponseDto {
    return ToolPageResponseDto.from(this.registry.list(), query.limit, query.cursor);
  }
}
