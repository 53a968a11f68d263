import { ApiProperty } from '@nestjs/swagger';
import { type RequestContext, toApiId } from '../../../common/index';
import { MCP_STATES, type McpServer, type McpServerState, type McpState } from '../mcp-server';

export class McpServerDto {
  @ApiProperty({ type: String, example: 'mcp_0192f0c1a2b37c4d8e5f60718293a4b5' })
  id: string;

  @ApiProperty({ type: String, example: 'usr_0192f0c1a2b37c4d8e5f60718293a4b5' })
  userId: string;

  @ApiProperty({ type: String, example: 'wiki' })
  name: string;

  @ApiProperty({
    type: String,
    example: 'https://example.com/mcp',
    description: 'Whole for its owner; to others only where it leads.',
  })
  url: string;

  @ApiProperty({ type: [String], example: ['authorization'], description: 'Values are never shown.' })
  headerNames: string[];

  @ApiProperty({
    enum: MCP_STATES,
    description: '`idle`: the process that answers has no connection to it; the next use makes one.',
  })
  state: McpState;

  @ApiProperty({ type: String, nullable: true, example: 'it could not be reached (ECONNREFUSED)' })
  unavailableReason: string | null;

  @ApiProperty({ type: [String], example: ['mcp_wiki_search'], description: 'Those that can be called now.' })
  tools: string[];

  @ApiProperty({ type: String, format: 'date-time' })
  createdAt: string;

  @ApiProperty({ type: String, format: 'date-time' })
  updatedAt: string;

  static from({ principal }: RequestContext, server: McpServer, now: McpServerState): McpServerDto {
    const { id, userId, name, url, headerNames, createdAt, updatedAt } = server;
    return {
      id: toApiId('mcp', id),
      userId: toApiId('usr', userId),
      name,
      url: userId === principal.userId ? url : new URL(url).origin,
      headerNames: [...headerNames],
      state: now.state,
      unavailableReason: now.unavailableReason ?? null,
      tools: [...now.tools],
      createdAt: createdAt.toISOString(),
      updatedAt: updatedAt.toISOString(),
    };
  }
}

export class McpServerPageDto {
  @ApiProperty({ type: [McpServerDto] })
  data: McpServerDto[];

  @ApiProperty({ type: String, nullable: true, description: 'Null on the last page.' })
  nextCursor: string | null;
}
