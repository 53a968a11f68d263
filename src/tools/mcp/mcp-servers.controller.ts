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
import { Ctx, Owned, OwnedBy } from '../../auth/index';
import { PageQueryDto, type RequestContext } from '../../common/index';
import { CreateMcpServerRequestDto, UpdateMcpServerRequestDto } from './dto/mcp-server.request.dto';
import { McpServerDto, McpServerPageDto } from './dto/mcp-server.response.dto';
import { MCP_SERVER } from './mcp-server';
import { McpServerPages } from './mcp-server.pages';
import { McpServersService } from './mcp-servers.service';

const ID = { name: 'id', type: String, example: 'mcp_0192f0c1a2b37c4d8e5f60718293a4b5' };
const FOREIGN = { description: 'No such MCP server, or not yours' };
const TAKEN = { description: 'The name is taken, or there are too many already' };

@ApiTags('tools')
@ApiBearerAuth()
@Controller('api/v1/mcp-servers')
export class McpServersController {
  constructor(
    private readonly servers: McpServersService,
    private readonly pages: McpServerPages,
  ) {}

  @Owned()
  @Post()
  @ApiOperation({
    operationId: 'createMcpServer',
    summary: 'Use the tools of an MCP server of yours',
    description:
      'Its tools are named `mcp_<name>_<tool>` in `GET /api/v1/tools`, for you only. It is called over Streamable HTTP, ' +
      'and only at public addresses. Headers are stored encrypted and never shown again.',
  })
  @ApiCreatedResponse({ type: McpServerDto })
  @ApiConflictResponse(TAKEN)
  async create(@Ctx() ctx: RequestContext, @Body() body: CreateMcpServerRequestDto): Promise<McpServerDto> {
    const { name, url, headers = {} } = body;
    return this.pages.shown(ctx, await this.servers.create(ctx, { name, url, headers }));
  }

  @Owned()
  @Get()
  @ApiOperation({
    operationId: 'listMcpServers',
    summary: 'Your MCP servers, newest first; administrators see all',
  })
  @ApiOkResponse({ type: McpServerPageDto })
  list(@Ctx() ctx: RequestContext, @Query() query: PageQueryDto): Promise<McpServerPageDto> {
    return this.pages.list(ctx, query);
  }

  @OwnedBy(MCP_SERVER)
  @Get(':id')
  @ApiOperation({
    operationId: 'getMcpServer',
    summary: 'One MCP server; it is connected, if it is yours and answers within seconds',
  })
  @ApiParam(ID)
  @ApiOkResponse({ type: McpServerDto })
  @ApiNotFoundResponse(FOREIGN)
  async get(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<McpServerDto> {
    return await this.pages.tried(ctx, await this.servers.get(ctx, id));
  }

  @OwnedBy(MCP_SERVER)
  @Patch(':id')
  @ApiOperation({ operationId: 'updateMcpServer', summary: 'Change an MCP server; owners only' })
  @ApiParam(ID)
  @ApiOkResponse({ type: McpServerDto })
  @ApiNotFoundResponse(FOREIGN)
  @ApiConflictResponse(TAKEN)
  async update(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Body() { name, url, headers }: UpdateMcpServerRequestDto,
  ): Promise<McpServerDto> {
    return this.pages.shown(ctx, await this.servers.update(ctx, id, { name, url, headers }));
  }

  @OwnedBy(MCP_SERVER)
  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'deleteMcpServer',
    summary: 'Delete an MCP server; its tools are gone at once',
  })
  @ApiParam(ID)
  @ApiNoContentResponse({ description: 'Deleted' })
  @ApiNotFoundResponse(FOREIGN)
  remove(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<void> {
    return this.servers.remove(ctx, id);
  }
}
