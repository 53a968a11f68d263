import type { RequestContext, SqlExecutor } from '../common/index';

/** One administrative act. `before` and `after` hold the fields that matter and never a secret. */
export interface AuditEntry {
  /** `<resource>.<verb>`, such as `user.disable` or `budget.update`. */
  readonly action: string;
  /** API id of what was acted on, such as `usr_…`; null when there is none. */
  readonly resourceId: string | null;
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
}

/**
 * Where administrative acts are recorded, append-only. Declared here so that every module can record; `operations/`
 * implements it.
 */
export abstract class AuditSink {
  /** @param executor the transaction of the act itself, so that neither is ever seen without the other. */
  abstract record(ctx: RequestContext, entry: AuditEntry, executor?: SqlExecutor): Promise<void>;
}
