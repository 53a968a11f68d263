import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { Notifications } from '../../../database/index';
import { BackgroundLoop } from '../../../observability/index';
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
export class CapabilityRefresh implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(CapabilityRefresh.name);
  private readonly loop = new BackgroundLoop('load what was learned of models', INTERVAL_MS, () =>
    this.load(),
  );
  /** That could not be read; it is not tried again until another one is in force. */
  private unreadable?: string;

  constructor(
    private readonly capabilities: Capabilities,
    private readonly versions: CapabilityVersions,
    private readonly notifications: Notifications,
  ) {}

  onModuleInit(): void {
    this.capabilities.readFrom((version) => this.read(version));
    this.notifications.on(CAPABILITIES_CHANGED, () => this.loop.wake());
    this.notifications.onReconnect(() => this.loop.wake());
  }

  /** By now every change is heard: the notifications, of a global module, are connected first. */
  async onApplicationBootstrap(): Promise<void> {
    this.loop.start();
    await this.loop.runNow();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** Resolves when what was in force at the call decides in this process, or cannot be loaded now. Never rejects. */
  async now(): Promise<void> {
    await this.loop.runNow();
  }

  private async load(): Promise<void> {
    const { version } = await this.versions.inForce();
    if (version === this.capabilities.current.version || version === this.unreadable) return;
    const table = version === PRIOR ? CapabilityTable.prior : await this.read(version);
    this.unreadable = table ? undefined : version;
    if (table) this.capabilities.use(table);
  }

  /** Undefined when there is none, or its content is none that this release understands. */
  private async read(version: string): Promise<CapabilityTable | undefined> {
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
