import { Module } from '@nestjs/common';
import { AuthModule, Cursors } from '../auth/index';
import { CatalogModule } from '../catalog/index';
import { ProvidersModule } from '../providers/index';
import { ToolsModule } from '../tools/index';
import { AgentAvailability } from './agent-availability';
import { AgentPages } from './agent.pages';
import { AgentRegistry } from './agent-registry';
import { AgentSettingsCheck } from './agent-settings.check';
import { AgentTemplates } from './agent-templates';
import { AgentsController } from './agents.controller';
import { AgentsRepository } from './agents.repository';
import { AgentsService } from './agents.service';
import { BuiltInAgents } from './built-in-agents';
import { TaskMessages } from './task-messages';

/** Who does the tasks of projects. Needs AppConfig, the data source and AuditSink, all global. */
@Module({
  imports: [AuthModule, CatalogModule, ProvidersModule, ToolsModule],
  controllers: [AgentsController],
  providers: [
    AgentAvailability,
    AgentPages,
    AgentRegistry,
    AgentSettingsCheck,
    AgentsRepository,
    AgentsService,
    AgentTemplates,
    BuiltInAgents,
    Cursors,
    TaskMessages,
  ],
  exports: [AgentRegistry, TaskMessages],
})
export class AgentsModule {}
