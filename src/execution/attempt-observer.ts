import { Injectable } from '@nestjs/common';
import { toApiId } from '../common/index';
import type { SettledAttempt } from '../ledger/index';
import { AppLogger, Metrics } from '../observability/index';
import type { PlannedModel } from '../selection/index';
import type { AttemptState } from './attempt-state';

const PICO_PER_USD = 1e12;

/** Tells logs and metrics of every upstream attempt, and hands its line to the state for booking; disputes are the ledger's to report. */
@Injectable()
export class AttemptObserver {
  constructor(
    private readonly logger: AppLogger,
    private readonly metrics: Metrics,
  ) {}

  observe(state: AttemptState, line: SettledAttempt): void {
    state.finish(line);
    this.log(state, line);
    this.count(line);
  }

  /** Of one attempt, however it ended. */
  malformedLines(
    { ctx }: AttemptState,
    { model: { provider, id: model } }: PlannedModel,
    count: number,
  ): void {
    if (count === 0) return;
    this.metrics.malformedLines.inc({ provider, model }, count);
    const requestId = toApiId('req', ctx.requestId);
    this.logger.event('malformed_lines', { requestId, traceId: ctx.traceId, model, count });
  }

  private log(state: AttemptState, line: SettledAttempt): void {
    const { ctx } = state;
    this.logger.event('llm_call', {
      requestId: toApiId('req', ctx.requestId),
      traceId: ctx.traceId,
      projectId: ctx.work?.projectId,
      taskId: ctx.work?.taskId,
      sessionId: ctx.work?.sessionId,
      stageId: ctx.work?.stageId,
      provider: line.provider,
      model: line.model,
      promptChars: state.promptChars,
      promptTokens: line.usage.promptTokens,
      completionTokens: line.usage.completionTokens,
      costPicoUsd: line.costPicoUsd?.toString(),
      latencyMs: line.latencyMs,
      firstTokenMs: line.firstTokenMs,
      retryCount: state.attemptsThisRound - 1,
      status: line.errorCode ?? 'ok',
      outcome: line.outcome,
      executionMode: state.execution?.executionMode,
      fallbackReason: state.execution?.fallbackReason,
      usageSource: line.usageSource,
    });
  }

  private count(line: SettledAttempt): void {
    const labels = { provider: line.provider, model: line.model };
    this.metrics.calls.inc({ ...labels, outcome: line.outcome });
    this.metrics.latency.observe(labels, line.latencyMs / 1000);
    if (line.firstTokenMs !== undefined) this.metrics.firstToken.observe(labels, line.firstTokenMs / 1000);
    if (line.usage.promptTokens)
      this.metrics.tokens.inc({ ...labels, kind: 'prompt' }, line.usage.promptTokens);
    if (line.usage.completionTokens) {
      this.metrics.tokens.inc({ ...labels, kind: 'completion' }, line.usage.completionTokens);
    }
    if (line.costPicoUsd) this.metrics.cost.inc(labels, Number(line.costPicoUsd) / PICO_PER_USD);
  }
}
