import {
  type BeforeApplicationShutdown,
  type DynamicModule,
  Module,
  type OnApplicationBootstrap,
  ValidationPipe,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { AgentsModule } from './agents/index';
import { AnalysisModule } from './analysis/index';
import { AuthGuard, AuthModule, OwnershipGuard } from './auth/index';
import { BudgetModule, RateLimitGuard } from './budget/index';
import { CatalogModule } from './catalog/index';
import { type AppConfig, ConfigModule } from './config/index';
import { DatabaseModule } from './database/index';
import { DurableModule, DurableWorker } from './durable/index';
import { ErrorBoundaryInterceptor, ErrorFilter, ErrorsModule } from './errors/index';
import { DeadlineInterceptor, ExecutionModule, RetryInterceptor } from './execution/index';
import { EventsModule } from './events/index';
import { GatewayModule } from './gateway/index';
import { IdempotencyInterceptor, IdempotencyModule } from './idempotency/index';
import { LedgerModule } from './ledger/index';
import { ObservabilityModule } from './observability/index';
import { OperationsModule } from './operations/index';
import { ProjectsModule } from './projects/index';
import { ProvidersModule } from './providers/index';
import { ScoringModule } from './scoring/index';
import { SelectionModule } from './selection/index';
import { McpModule, ToolsModule } from './tools/index';
import { validationPipe } from './validation';

/** THE order in which every request passes: filter around all, guards, interceptors from the outside in, pipe. */
const REQUEST_PATH = [
  { provide: APP_FILTER, useExisting: ErrorFilter },
  { provide: APP_GUARD, useExisting: AuthGuard },
  { provide: APP_GUARD, useExisting: RateLimitGuard },
  { provide: APP_GUARD, useExisting: OwnershipGuard },
  { provide: APP_INTERCEPTOR, useExisting: ErrorBoundaryInterceptor },
  { provide: APP_INTERCEPTOR, useExisting: IdempotencyInterceptor },
  { provide: APP_INTERCEPTOR, useExisting: DeadlineInterceptor },
  { provide: APP_INTERCEPTOR, useExisting: RetryInterceptor },
  { provide: APP_PIPE, useFactory: (): ValidationPipe => validationPipe() },
];

@Module({})
export class AppModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(private readonly worker: DurableWorker) {}

  /** @param databaseUrl of a PostgreSQL that runs */
  static forRoot(config: AppConfig, databaseUrl: string): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(config),
        EventEmitterModule.forRoot(),
        ObservabilityModule,
        ErrorsModule,
        DatabaseModule.forRoot(databaseUrl),
        DurableModule,
        AuthModule,
        EventsModule,
        IdempotencyModule,
        CatalogModule,
        LedgerModule,
        BudgetModule,
        ProvidersModule,
        ToolsModule,
        McpModule,
        AnalysisModule,
        ScoringModule,
        SelectionModule,
        ExecutionModule,
        AgentsModule,
        ProjectsModule,
        GatewayModule,
        OperationsModule,
      ],
      providers: REQUEST_PATH,
    };
  }

  /** The root comes last: runs find everything ready. */
  async onApplicationBootstrap(): Promise<void> {
    await this.worker.start();
  }

  /** The root comes first: what runs use is still there. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.worker.stop();
  }
}
