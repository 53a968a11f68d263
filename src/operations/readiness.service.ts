import { Injectable } from '@nestjs/common';
import { formatUsd } from '../common/index';
import { DatabaseHealth, type DegradedFigures, DegradedState } from '../database/index';
import { OpenRequests } from '../observability/index';
import { ProviderRegistry } from '../providers/index';
import type { ReadinessDto } from './dto/readiness.response.dto';

/** Whether this process can take work now, and if not, what would help. */
@Injectable()
export class ReadinessService {
  constructor(
    private readonly database: DatabaseHealth,
    private readonly degraded: DegradedState,
    private readonly providers: ProviderRegistry,
    private readonly requests: OpenRequests,
  ) {}

  /** Ready is whoever can serve: without PostgreSQL that is, as long as the degraded float pays. */
  async check(): Promise<ReadinessDto> {
    // Load balancers are told to look elsewhere.
    const { isDraining } = this.requests;
    const isDatabaseUp = await this.database.isUp();
    const { figures } = this.degraded;
    const { journal } = figures;
    const canServe = isDatabaseUp || (figures.float.leftPicoUsd > 0n && !journal.problem);
    const noProvider = this.missingProvider();
    const reasons: string[] = [];
    if (isDraining) reasons.push('The process is shutting down');
    if (!canServe) reasons.push('PostgreSQL does not answer');
    if (noProvider) reasons.push(noProvider);
    const warnings = warningsOf(figures, isDatabaseUp);
    return {
      ready: reasons.length === 0,
      degraded: warnings.length > 0,
      draining: isDraining,
      database: isDatabaseUp,
      provider: noProvider === undefined,
      journal: {
        entries: journal.entries + journal.unsaved,
        oldestAt: journal.oldestAt?.toISOString() ?? null,
        writable: journal.problem === undefined,
      },
      floatLeftUsd: figures.float.totalPicoUsd > 0n ? formatUsd(figures.float.leftPicoUsd) : null,
      reasons,
      warnings,
    };
  }

  private missingProvider(): string | undefined {
    if (this.providers.hasAvailable()) return undefined;
    const variables = this.providers
      .availability()
      .filter((provider) => provider.reason === 'key_missing')
      .map((provider) => provider.variables.join(' + '));
    return `No provider is usable; set one of: ${variables.join(', ')}`;
  }
}

function warningsOf({ journal, float }: DegradedFigures, isDatabaseUp: boolean): string[] {
  const warnings: string[] = [];
  if (!isDatabaseUp && float.leftPicoUsd > 0n)
    warnings.push('PostgreSQL does not answer; metered calls are paid from the degraded float');
  if (journal.entries > 0) warnings.push(`${journal.entries} settlements wait in the journal`);
  if (journal.unsaved > 0) warnings.push(`${journal.unsaved} settlements are in memory only`);
  if (journal.problem)
    warnings.push(`The journal cannot be written (${journal.problem}): free the disk of DATA_DIR`);
  return warnings;
}
