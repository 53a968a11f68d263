import { Module } from '@nestjs/common';
import { AnalysisModule } from '../analysis/index';
import { LedgerModule } from '../ledger/index';
import { ProvidersModule } from '../providers/index';
import { SelectionModule } from '../selection/index';
import { ToolsModule } from '../tools/index';
import { AttemptObserver } from './attempt-observer';
import { AttemptRunner } from './attempt-runner';
import { CompletionPipeline } from './completion.pipeline';
import { DeadlineInterceptor } from './deadline.interceptor';
import { KeptToolCallsRepository } from './kept-tool-calls.repository';
import { PipelineHost } from './pipeline-host';
import { RetryInterceptor } from './retry.interceptor';
import { RoundRunner } from './round-runner';
import { ToolRounds } from './tool-rounds';
import { UpstreamGate } from './upstream-gate';

@Module({
  imports: [AnalysisModule, LedgerModule, ProvidersModule, SelectionModule, ToolsModule],
  providers: [
    AttemptObserver,
    AttemptRunner,
    CompletionPipeline,
    DeadlineInterceptor,
    KeptToolCallsRepository,
    PipelineHost,
    RetryInterceptor,
    RoundRunner,
    ToolRounds,
    UpstreamGate,
  ],
  exports: [CompletionPipeline, DeadlineInterceptor, RetryInterceptor],
})
export class ExecutionModule {}
