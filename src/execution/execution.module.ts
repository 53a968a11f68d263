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
import { EmbeddingAttempts } from './embedding-attempts';
import { EmbeddingPipeline } from './embedding.pipeline';
import { KeptToolCallsRepository } from './kept-tool-calls.repository';
import { MeteredLocalInference } from './local-inference';
import { MeteredWork } from './metered-work';
import { PipelineHost } from './pipeline-host';
import { RequestPlanner } from './request-planner';
import { CacheClearing } from './response-cache/cache-clearing.service';
import { FreeAnswers } from './response-cache/free-answers.service';
import { ResponseCacheController } from './response-cache/response-cache.controller';
import { ResponseReuse } from './response-cache/response-reuse.service';
import { ResponseStore } from './response-cache/response-store.service';
import { RetryInterceptor } from './retry.interceptor';
import { RoundRunner } from './round-runner';
import { SemanticClassifier } from './semantic-classifier';
import { ToolRounds } from './tool-rounds';
import { UpstreamGate } from './upstream-gate';

@Module({
  imports: [AnalysisModule, LedgerModule, ProvidersModule, SelectionModule, ToolsModule],
  controllers: [ResponseCacheController],
  providers: [
    AttemptObserver,
    AttemptRunner,
    CacheClearing,
    CompletionPipeline,
    DeadlineInterceptor,
    EmbeddingAttempts,
    EmbeddingPipeline,
    FreeAnswers,
    KeptToolCallsRepository,
    MeteredLocalInference,
    MeteredWork,
    PipelineHost,
    ResponseReuse,
    ResponseStore,
    RequestPlanner,
    RetryInterceptor,
    RoundRunner,
    SemanticClassifier,
    ToolRounds,
    UpstreamGate,
  ],
  exports: [CompletionPipeline, DeadlineInterceptor, EmbeddingPipeline, RetryInterceptor],
})
export class ExecutionModule {}
