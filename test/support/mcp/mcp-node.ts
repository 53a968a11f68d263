import { type DynamicModule, Module } from '@nestjs/common';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { Test } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import { newId, type RequestContext } from '../../../src/common/index';
import { ConfigModule, loadConfig } from '../../../src/config/index';
import { DatabaseModule } from '../../../src/database/index';
import { ErrorsModule } from '../../../src/errors/index';
import { ObservabilityModule } from '../../../src/observability/index';
import { McpModule, ToolRegistry } from '../../../src/tools/index';
import { McpServersRepository } from '../../../src/tools/mcp/mcp-servers.repository';
import { McpServersService } from '../../../src/tools/mcp/mcp-servers.service';
import { OwnerServers } from '../../../src/tools/mcp/owner-servers.service';
import { testEnv } from '../app';
import { AuditModule } from '../audit-module';
import { aContext } from '../factories';

@Module({})
class Installation {
  static on(url: string, env: NodeJS.ProcessEnv): DynamicModule {
    return {
      module: Installation,
      imports: [
        ConfigModule.forRoot(loadConfig(testEnv('/nonexistent', env))),
        EventEmitterModule.forRoot(),
        ObservabilityModule,
        ErrorsModule,
        DatabaseModule.forRoot(url),
        AuditModule,
        McpModule,
      ],
    };
  }
}

export interface McpNode {
  readonly database: DataSource;
  readonly servers: McpServersService;
  readonly stored: McpServersRepository;
  readonly owners: OwnerServers;
  /** Names of the tools that the caller can call here, once they are looked for. */
  toolsOf(ctx: RequestContext): Promise<string[]>;
  /** The same, without looking for them. */
  knownOf(ctx: RequestContext): string[];
  close(): Promise<void>;
}

/** One process with the tools of MCP servers, on a database that others may share. */
export async function startMcpNode(url: string, env: NodeJS.ProcessEnv = {}): Promise<McpNode> {
  const module = await Test.createTestingModule({ imports: [Installation.on(url, env)] }).compile();
  module.useLogger(false);
  await module.init();
  const registry = module.get(ToolRegistry);
  const knownOf = (ctx: RequestContext) =>
    registry
      .list(ctx)
      .map(({ name }) => name)
      .filter((name) => name.startsWith('mcp_'));
  return {
    database: module.get(DataSource),
    servers: module.get(McpServersService),
    stored: module.get(McpServersRepository),
    owners: module.get(OwnerServers),
    toolsOf: async (ctx) => {
      await registry.ready(ctx);
      return knownOf(ctx);
    },
    knownOf,
    close: () => module.close(),
  };
}

let users = 0;

/** A context that acts for a new user. */
export async function newCaller(database: DataSource): Promise<RequestContext> {
  const userId = newId();
  users += 1;
  await database.query(
    `insert into users (id, email, name, password_hash, role) values ($1, $2, 'Ada', 'none', 'operator')`,
    [userId, `mcp-${users}@example.com`],
  );
  return aContext({ principal: { userId, role: 'operator' } });
}
