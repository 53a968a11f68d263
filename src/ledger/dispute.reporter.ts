import { Injectable } from '@nestjs/common';
import { type RequestContext, toApiId } from '../common/index';
import { AppLogger, Metrics } from '../observability/index';
import type { SettledAttempt } from './ledger.types';

/** One fatal log and one count for every attempt whose figures disagree; the answer is delivered all the same. */
@Injectable()
export class DisputeReporter {
  constructor(
    private readonly logger: AppLogger,
    private readonly metrics: Metrics,
  ) {}

  report(ctx: RequestContext, finished: readonly SettledAttempt[]): void {
    for (const { attempt, provider, model, disputes } of finished) {
      if (disputes.length === 0) continue;
      this.metrics.disputes.inc({ provider });
      this.logger.event('billing', {
        code: 'BILLING_INTEGRITY',
        requestId: toApiId('req', ctx.requestId),
        traceId: ctx.traceId,
        attempt,
        provider,
        model,
        disputes,
      });
    }
  }
}
