/** Reads the counters of a budget again and again, inside the server and over a connection of its own. */
import { Client } from 'pg';
import { fromApiId } from '../../../src/common/index';

export interface Samples {
  /** The most that was spent and held at one moment, in pico-USD. */
  readonly most: bigint;
  readonly taken: number;
}

/**
 * Each statement of a volatile function sees what is committed by then. A round lasts half a second, so that a test
 * process that is busy with its callers does not keep the server from sampling.
 */
const SAMPLE = `create function pg_temp.sample(p_budget uuid, out most numeric, out taken int) language plpgsql as $$
declare
  v_end timestamptz := clock_timestamp() + interval '0.5 seconds';
  v_sum numeric;
begin
  most := 0;
  taken := 0;
  while clock_timestamp() < v_end loop
    select spent_pico + held_pico into v_sum from budget_periods where budget_id = p_budget;
    most := greatest(most, v_sum);
    taken := taken + 1;
    perform pg_sleep(0.001);
  end loop;
end $$`;

export class BudgetSampler {
  private isRunning = true;
  private readonly loop: Promise<Samples>;

  private constructor(
    private readonly client: Client,
    private readonly budgetId: string,
  ) {
    this.loop = this.sample();
    // Whoever stops it learns of a failure.
    this.loop.catch(() => undefined);
  }

  /** @param budget its API id. */
  static async start(connectionString: string, budget: string): Promise<BudgetSampler> {
    const client = new Client({ connectionString });
    client.on('error', () => undefined);
    await client.connect();
    await client.query(SAMPLE);
    return new BudgetSampler(client, fromApiId('bud', budget) ?? '');
  }

  async stop(): Promise<Samples> {
    this.isRunning = false;
    return await this.loop;
  }

  private async sample(): Promise<Samples> {
    let samples: Samples = { most: 0n, taken: 0 };
    try {
      while (this.isRunning) {
        const { rows } = await this.client.query<{ most: string; taken: number }>(
          'select most, taken from pg_temp.sample($1)',
          [this.budgetId],
        );
        const most = BigInt(rows[0]?.most ?? 0);
        samples = {
          most: most > samples.most ? most : samples.most,
          taken: samples.taken + (rows[0]?.taken ?? 0),
        };
      }
    } finally {
      await this.client.end();
    }
    return samples;
  }
}
