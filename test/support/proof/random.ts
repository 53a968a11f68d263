/** Chance from a seed, so that a proof that failed can be run again exactly: `PROOF_SEED=<seed>`. */
export class Random {
  private state: number;

  constructor(readonly seed: number) {
    this.state = seed >>> 0;
  }

  /** At least 0, below 1 (mulberry32). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `least` to `most`, both included. */
  int(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[Math.floor(this.next() * choices.length)];
    if (choice === undefined) throw new RangeError('Nothing to pick from');
    return choice;
  }

  words(count: number): string {
    return Array.from({ length: count }, () => this.int(100, 999_999).toString(36)).join(' ');
  }
}

/** Runs a proof with a seed of its own (or PROOF_SEED) and prints it when the proof fails. */
export async function withRandom<T>(proof: (random: Random) => Promise<T>): Promise<T> {
  const seed = Number(process.env.PROOF_SEED ?? Math.floor(Math.random() * 2 ** 31));
  try {
    return await proof(new Random(seed));
  } catch (error) {
    process.stderr.write(`PROOF_SEED=${seed} repeats the proof that failed\n`);
    throw error;
  }
}
