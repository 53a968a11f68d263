/** Reads the counters of a budget again and again, inside the server and over a connection of its own. */
import { Client } from 'pg';
import { fromApiId } from '../../../src/common/index';

export interface Samples {
  /** The most that was spent and held at one moment, in pico-USD. */
  readonly most: bigint;
  readonly taken: number;
}

/** Each statement of a volatile function sees what is committed by then. Rounds are short, so that the end is seen soon. */
const SAMPLE = `create function pg_temp.sample(p_budget uuid, out most numeric, out taken int) language plpgsql as $$
declare
  v_sum numeric;
begin
  most := 0;
  taken := 0;
  for round in 1..50 loop
    select spent_pico + held_pico into v_sum from budget_periods where budget_id = p_budget;
    most := greatest(most, v_sum);
    taken := taken + 1;
    perform pg_sleep(0.001);
  end loop;
end $$`;

export class BudgetSampler {
  private isRunning = true;
  private readonly loop: Promise<Samples>;

  /** @param budget its API id. */
  constructor(databaseUrl: string, budget: string) {
    this.loop = this.sample(databaseUrl, fromApiId('bud', budget) ?? '');
  }

  async stop(): Promise<Samples> {
    this.isRunning = false;
    return await this.loop;
  }

  private async sample(connectionString: string, budget: string): Promise<Samples> {
    const client = new Client({ connectionString });
    await client.connect();
    let samples: Samples = { most: 0n, taken: 0 };
    try {
      await client.query(SAMPLE);
      while (this.isRunning) {
        const { rows } = await client.query<{ most: string; taken: number }>(
          'select most, taken from pg_temp.sample($1)',
          [budget],
        );
        const most = BigInt(rows[0]?.most ?? 0);
        samples = {
          most: most > samples.most ? most : samples.most,
          taken: samples.taken + (rows[0]?.taken ?? 0),
        };
      }
    } finally {
      await client.end();
    }
    return samples;
  }
}
