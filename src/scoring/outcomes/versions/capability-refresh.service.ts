import { Injectable, Logger } from '@nestjs/common';
import { Follower, Notifications } from '../../../database/index';
import { CapabilityTable } from '../../capabilities/capability-table';
import { Capabilities } from '../capabilities.service';
import { PRIOR } from './capability-version';
import { CAPABILITIES_CHANGED, CapabilityVersions } from './capability-versions.repository';
import { tableOf } from './fitted-table';

/** For what no notification told. */
const INTERVAL_MS = 60_000;

/**
 * Brings the version in force into this process: at the start, when another process tells of one, and once a minute.
 * While PostgreSQL is away, and when a stored version cannot be read, the one that was loaded last goes on.
 */
@Injectable()
export class CapabilityRefresh extends Follower {
  private readonly logger = new Logger(CapabilityRefresh.name);
  /** That could not be read; it is not tried again until another one is in force. */
  private unreadable?: string;

  constructor(
    private readonly capabilities: Capabilities,
    private readonly versions: CapabilityVersions,
    notifications: Notifications,
  ) {
    const name = 'load what was learned of models';
    super(notifications, { name, channel: CAPABILITIES_CHANGED, intervalMs: INTERVAL_MS });
    capabilities.readFrom((version) => this.load(version));
  }

  protected async read(): Promise<void> {
    const { version } = await this.versions.inForce();
    if (version === this.capabilities.current.version || version === this.unreadable) return;
    const table = version === PRIOR ? CapabilityTable.prior : await this.load(version);
    this.unreadable = table ? undefined : version;
    if (table) this.capabilities.use(table);
  }

  /** Undefined when there is none, or its content is none that this release understands. */
  private async load(version: string): Promise<CapabilityTable | undefined> {
    const content = await this.versions.content(version);
    if (content === undefined) return undefined;
    try {
      return await tableOf(version, content);
    } catch (error) {
      this.logger.error(`Capability version ${version} cannot be read: ${(error as Error).message}`);
      return undefined;
    }
  }
}
