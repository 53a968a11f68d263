import { Module } from '@nestjs/common';
import { AuthModule } from '../../auth/index';
import { ToolsModule } from '../tools.module';
import { ConfiguredServers } from './configured-servers.service';
import { McpDialer } from './mcp-dialer';
import { McpHeaderResealer } from './mcp-header-resealer';
import { McpHeaderSeals } from './mcp-headers';
import { McpServerPages } from './mcp-server.pages';
import { McpServersController } from './mcp-servers.controller';
import { McpServersRepository } from './mcp-servers.repository';
import { McpServersService } from './mcp-servers.service';
import { OwnerServers } from './owner-servers.service';

/** Tools of MCP servers, the administrator's and users' own, in the registry. */
@Module({
  imports: [AuthModule, ToolsModule],
  controllers: [McpServersController],
  providers: [
    ConfiguredServers,
    McpDialer,
    McpHeaderResealer,
    McpHeaderSeals,
    McpServerPages,
    McpServersRepository,
    McpServersService,
    OwnerServers,
  ],
})
export class McpModule {}
