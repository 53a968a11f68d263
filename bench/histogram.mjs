/** Percentiles out of a service's Prometheus histograms, between two readings of its metrics. */

/** Cumulative counts by upper bound in seconds, ascending, +Inf last. */
function bucketsOf(metrics, name) {
  const rows = metrics.matchAll(new RegExp(`^${name}_bucket\\{le="([^"]+)"\\} (\\d+)`, 'gm'));
  return [...rows].map(([, bound, count]) => ({
    bound: bound === '+Inf' ? Infinity : Number(bound),
    count: Number(count),
  }));
}

/** Milliseconds; interpolated within a bucket, so as exact as the buckets are narrow. NaN when nothing was measured. */
export function percentileMs(before, after, name, share) {
  const early = new Map(bucketsOf(before, name).map(({ bound, count }) => [bound, count]));
  const buckets = bucketsOf(after, name).map(({ bound, count }) => ({
    bound,
    count: count - (early.get(bound) ?? 0),
  }));
  const wanted = (buckets.at(-1)?.count ?? 0) * share;
  const index = buckets.findIndex(({ count }) => count >= wanted);
  if (wanted === 0 || index < 0) return Number.NaN;
  const [low, high] = [buckets[index - 1] ?? { bound: 0, count: 0 }, buckets[index]];
  if (high.bound === Infinity) return low.bound * 1000;
  const part = (wanted - low.count) / (high.count - low.count);
  return (low.bound + (high.bound - low.bound) * part) * 1000;
}
