// Cuts outcomes in two: some prompts to calibrate with, the others to test on.
import { randomNumbers } from './classifier-examples.mjs';

/** `by` dataset: no dataset has prompts on both sides. */
export function splitPools(pools, { split, by, seed }) {
  const random = randomNumbers(seed);
  const [first, second] = [new Map(), new Map()];
  for (const [name, pool] of pools) {
    const keyOf = ({ id, dataset }) => (by === 'dataset' ? dataset : id);
    const keys = [...new Set(pool.prompts.map(keyOf))].map((key) => ({ key, at: random() }));
    keys.sort((one, other) => one.at - other.at);
    const chosen = new Set(keys.slice(0, Math.round(keys.length * split)).map(({ key }) => key));
    const part = (isFirst) => ({
      ...pool,
      prompts: pool.prompts.filter((prompt) => chosen.has(keyOf(prompt)) === isFirst),
    });
    first.set(name, part(true));
    second.set(name, part(false));
  }
  return [first, second];
}
