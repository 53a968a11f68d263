import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { CatalogService } from '../../../catalog/index';
import type { SqlExecutor } from '../../../common/index';
import { BackgroundLoop } from '../../../observability/index';
import type { CapabilityContent } from '../../capabilities/capability-content';
import { BaseModels } from '../base-models';
import { LearningRows } from '../learning-rows.repository';
import { CapabilityRefresh } from './capability-refresh.service';
import type { LearningCause, VersionReason } from './capability-version';
import { CapabilityVersions, type Progress } from './capability-versions.repository';
import { fittedContent, isReadable, isStored, priorsDigest } from './fitted-table';

const INTERVAL_MS = 60_000;
/** Feedback comes one by one. A version is worth making when so large a share of what the newest one rests on is new, */
const WORTHWHILE_SHARE = 0.01;
/** or when something new has waited this long. */
const PATIENCE_MS = 3_600_000;
/** Where many were learned, a version is large: no more often than this. */
const LARGE = { outcomes: 5000, pauseMs: 600_000 };
const BEHIND: LearningCause = { reason: 'feedback' };

/**
 * Makes a version of what the outcomes say: at once for who reports many of them, and behind the requests for feedback,
 * once a minute at most. All processes look; one does it. The same outcomes make no second version.
 */
@Injectable()
export class CapabilityLearning implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(CapabilityLearning.name);
  private readonly loop = new BackgroundLoop('learn from outcomes', INTERVAL_MS, () => this.catchUp());
  /** Has this process seen that the newest version suits its release and its catalog? */
  private isChecked = false;

  constructor(
    private readonly versions: CapabilityVersions,
    private readonly rows: LearningRows,
    private readonly catalog: CatalogService,
    private readonly refresh: CapabilityRefresh,
  ) {}

  /** First a minute later: by then the models are known that are found at run time. */
  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /**
   * Learns all outcomes there are; this process uses the result when it resolves.
   * @returns the newest version; undefined when it failed: the log says why, and it is tried again later.
   */
  async learn(cause: LearningCause): Promise<string | undefined> {
    try {
      const version = await this.versions.exclusively((executor) => this.advance(cause, executor));
      await this.refresh.now();
      return version;
    } catch (error) {
      this.logger.error(`Outcomes were not learned: ${(error as Error).message}`);
      return undefined;
    }
  }

  /** What nobody has learned yet, if it is worth it; the first time, what does not suit this process as well. */
  async catchUp(): Promise<void> {
    if (this.isChecked && !isWorthwhile(await this.versions.progress())) return;
    await this.versions.exclusively((executor) => this.advance(BEHIND, executor));
    this.isChecked = true;
    await this.refresh.now();
  }

  private async advance(
    { reason, userId }: LearningCause,
    executor: SqlExecutor,
  ): Promise<string | undefined> {
    // Read before the outcomes: what comes between is learned now and looked at once more.
    const { revision, learned, priors } = await this.versions.progress(executor);
    const newest = await this.versions.newestContent(executor);
    const digest = priorsDigest(this.catalog);
    const misfit = newest && (await misfitOf(newest.content, priors === digest));
    if (revision === learned && !misfit) return newest?.version;
    const content = await this.fit(executor);
    await this.versions.setLearned(revision, digest, executor);
    if (newest && (await isStored(content, newest.content))) return newest.version;
    const outcomes = await this.rows.counts(executor);
    const why = revision === learned && misfit ? misfit : reason;
    return await this.versions.add({ reason: why, createdBy: userId, outcomes, content }, executor);
  }

  /** Names are looked up anew: the catalog may know a model by now that it did not know when the outcome came. */
  private async fit(executor: SqlExecutor): Promise<CapabilityContent> {
    const names = new BaseModels(this.catalog);
    const rows = await this.rows.read(executor);
    return await fittedContent(
      rows.map((row) => ({ ...row, model: names.nameOf(row.model) })),
      this.catalog,
    );
  }
}

/** Why the newest version does not suit this process; undefined: it does. */
async function misfitOf(content: unknown, hasSamePriors: boolean): Promise<VersionReason | undefined> {
  if (!(await isReadable(content))) return 'repair';
  return hasSamePriors ? undefined : 'catalog';
}

function isWorthwhile({ pending, outcomes, ageMs }: Progress): boolean {
  if (pending === 0) return false;
  if (ageMs === null || ageMs >= PATIENCE_MS) return true;
  if (outcomes >= LARGE.outcomes && ageMs < LARGE.pauseMs) return false;
  return pending >= outcomes * WORTHWHILE_SHARE;
}
