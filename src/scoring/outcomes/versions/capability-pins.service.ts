import { Injectable } from '@nestjs/common';
import type { RequestContext, SqlExecutor } from '../../../common/index';
import { AuditSink, ValidationError } from '../../../errors/index';
import { CapabilityRefresh } from './capability-refresh.service';
import { PRIOR, type VersionInForce } from './capability-version';
import { CapabilityVersions } from './capability-versions.repository';
import { isReadable } from './fitted-table';

/** Holds routing at one version, or lets it follow the newest again. For administrators; recorded in the audit log. */
@Injectable()
export class CapabilityPins {
  constructor(
    private readonly versions: CapabilityVersions,
    private readonly refresh: CapabilityRefresh,
    private readonly audit: AuditSink,
  ) {}

  /**
   * Holds in this process when it resolves, in others as soon as they hear of it.
   * @param version a number, `prior`, or null for the newest
   * @throws ValidationError when there is no such version
   */
  async pin(ctx: RequestContext, version: string | null): Promise<VersionInForce> {
    const after = await this.versions.exclusively(async (executor) => {
      if (version !== null && version !== PRIOR) await this.refuseUnusable(version, executor);
      const before = await this.versions.inForce(executor);
      await this.versions.pin(version, ctx.principal.userId, executor);
      const now = await this.versions.inForce(executor);
      const entry = {
        action: 'capability.pin',
        resourceId: null,
        before: audited(before),
        after: audited(now),
      };
      await this.audit.record(ctx, entry, executor);
      return now;
    });
    await this.refresh.now();
    return after;
  }

  private async refuseUnusable(version: string, executor: SqlExecutor): Promise<void> {
    if (!(await this.versions.find(version, executor))) {
      throw refused(`There is no version ${version}: see GET /api/v1/routing/capabilities/versions`);
    }
    if (!(await isReadable(await this.versions.content(version)))) {
      throw refused(`Version ${version} was stored by another release, which this one cannot read`);
    }
  }
}

function audited({ version, pinned }: VersionInForce): Record<string, unknown> {
  return { version, pinned: pinned ?? null };
}

function refused(message: string): ValidationError {
  return new ValidationError(message, { param: 'version' });
}
