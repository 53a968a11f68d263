import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { newId, PROVIDER_IDS, type RequestContext } from '../../common/index';
import { Notifications } from '../../database/index';
import { AuditSink } from '../../errors/index';
import type { ProviderHealthDto } from '../dto/provider-health.response.dto';
import { ProviderRegistry } from '../provider.registry';
import { Circuits } from './circuits';
import { ProviderHealth } from './provider-health.service';

const CHANNEL = 'lattice_provider_reset';

/** An administrator's fresh start for a provider, in every process. */
@Injectable()
export class ProviderReset implements OnModuleInit {
  /** Says which notifications are this process's own: their echo would forget what came after the reset. */
  private readonly process = newId();

  constructor(
    private readonly registry: ProviderRegistry,
    private readonly health: ProviderHealth,
    private readonly circuits: Circuits,
    private readonly database: DataSource,
    private readonly notifications: Notifications,
    private readonly audit: AuditSink,
  ) {}

  onModuleInit(): void {
    this.notifications.on(CHANNEL, (payload) => {
      const [name, process] = payload.split(' ');
      const provider = PROVIDER_IDS.find((id) => id === name);
      if (provider && process !== this.process) this.health.forget(provider);
    });
  }

  /** @throws UnknownProviderError, ServiceUnavailableError (PostgreSQL away: then nothing was reset) */
  async reset(ctx: RequestContext, name: string): Promise<ProviderHealthDto> {
    const provider = this.registry.resolveName(name);
    const open = this.circuits
      .list(provider)
      .filter(({ breaker }) => breaker.state !== 'closed')
      .map(({ model }) => model ?? provider);
    await this.database.transaction(async (manager) => {
      const entry = { action: 'provider.reset', resourceId: provider, before: { open }, after: { open: [] } };
      await this.audit.record(ctx, entry, manager);
      await manager.query('select pg_notify($1, $2)', [CHANNEL, `${provider} ${this.process}`]);
    });
    this.health.forget(provider);
    return await this.health.health(ctx, provider);
  }
}
