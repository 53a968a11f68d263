import { Injectable } from '@nestjs/common';
import { DatabaseHealth } from '../database/index';
import { ProviderRegistry } from '../providers/index';
import type { ReadinessDto } from './dto/readiness.response.dto';

/** Whether this process can take work now, and if not, what would help. */
@Injectable()
export class ReadinessService {
  private draining = false;

  constructor(
    private readonly database: DatabaseHealth,
    private readonly providers: ProviderRegistry,
  ) {}

  /** From now on load balancers are told to look elsewhere. */
  startDraining(): void {
    this.draining = true;
  }

  async check(): Promise<ReadinessDto> {
    const isDatabaseUp = await this.database.isUp();
    const availability = this.providers.availability();
    const hasProvider = availability.some((provider) => provider.state === 'available');
    const reasons: string[] = [];
    if (this.draining) reasons.push('The process is shutting down');
    if (!isDatabaseUp) reasons.push('PostgreSQL does not answer');
    if (!hasProvider) {
      const variables = availability
        .filter((provider) => provider.reason === 'key_missing')
        .map((provider) => provider.variables.join(' + '));
      reasons.push(`No provider is usable; set one of: ${variables.join(', ')}`);
    }
    return { ready: reasons.length === 0, database: isDatabaseUp, provider: hasProvider, reasons };
  }
}
