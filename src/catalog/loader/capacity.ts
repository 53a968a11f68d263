import { ConfigurationError } from '../../errors/index';
import type { Capacity } from '../model';
import type { CapacityEntry } from './catalog-file.schema';

const DEFAULT_QUEUE_MS = 10_000;
const DEFAULT_QUEUE_LENGTH = 100;

/** @throws ConfigurationError naming file, place and reason when nothing is limited. */
export function capacityOf(
  entry: CapacityEntry | undefined,
  from: { readonly file: string; readonly path: string },
): Capacity | undefined {
  if (!entry) return undefined;
  const { requestsPerMinute, tokensPerMinute, concurrency } = entry;
  if (requestsPerMinute === undefined && tokensPerMinute === undefined && concurrency === undefined) {
    throw new ConfigurationError(
      `${from.file}: ${from.path}.capacity: limits nothing; give requestsPerMinute, tokensPerMinute or concurrency`,
    );
  }
  return Object.freeze({ queueMs: DEFAULT_QUEUE_MS, queueLength: DEFAULT_QUEUE_LENGTH, ...entry });
}
