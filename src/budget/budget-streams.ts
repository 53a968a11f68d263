import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { EventResources } from '../events/index';
import { BUDGET_OWNER } from './budget-owner';

/** Opens the event stream of a budget to whom it concerns: the user, or the owner of the key; others: administrators. */
@Injectable()
export class BudgetStreams implements OnModuleInit {
  constructor(
    private readonly resources: EventResources,
    private readonly database: DataSource,
  ) {}

  onModuleInit(): void {
    this.resources.register('bud', async (id) => {
      const [budget] = await this.database.query<{ owner: string | null }[]>(
        `select ${BUDGET_OWNER('b')} as owner from budgets b where b.id = $1`,
        [id],
      );
      return budget?.owner;
    });
  }
}
