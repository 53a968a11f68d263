import { Module, type OnModuleInit } from '@nestjs/common';
import { AgentsModule } from '../agents/index';
import { AuthModule } from '../auth/index';
import { BudgetModule } from '../budget/index';
import { EventResources, EventsModule } from '../events/index';
import { ExecutionModule } from '../execution/index';
import { LedgerModule } from '../ledger/index';
import { ToolsModule } from '../tools/index';
import { FileCleanup } from './file-cleanup';
import { PLAN_CONTROLLERS, PLAN_PROVIDERS } from './plans/plan-providers';
import { MAX_FOLLOWERS, PROJECT } from './project';
import { ProjectBudgets } from './project-budgets';
import { ProjectEndings } from './project-endings';
import { ProjectPages } from './project.pages';
import { ProjectsController } from './projects.controller';
import { ProjectsRepository } from './projects.repository';
import { ProjectsService } from './projects.service';
import { RUN_CONTROLLERS, RUN_PROVIDERS } from './runs/run-providers';
import { WorkContexts } from './work-context';

/**
 * Requirements become a plan, a plan that somebody approves becomes tasks, and agents do them. Needs AppConfig, the data
 * source, AuditSink and DurableEngine, all global.
 */
@Module({
  imports: [AgentsModule, AuthModule, BudgetModule, EventsModule, ExecutionModule, LedgerModule, ToolsModule],
  controllers: [ProjectsController, ...PLAN_CONTROLLERS, ...RUN_CONTROLLERS],
  providers: [
    FileCleanup,
    ProjectBudgets,
    ProjectEndings,
    ProjectPages,
    ProjectsRepository,
    ProjectsService,
    WorkContexts,
    ...PLAN_PROVIDERS,
    ...RUN_PROVIDERS,
  ],
})
export class ProjectsModule implements OnModuleInit {
  constructor(private readonly streams: EventResources) {}

  onModuleInit(): void {
    this.streams.registerOwned(PROJECT, MAX_FOLLOWERS);
  }
}
