/** CPU per streamed chunk and memory of a target, while many streams run at once. */
import path from 'node:path';
import { cpuSeconds, rssMegabytes, run } from './processes.mjs';

/**
 * @param {{ url: string, key: string, pid: number }} target
 * @param {{ count: string, seconds: string }} size streams at a time, and for how long
 */
export async function measureStreams(target, { count, seconds }) {
  const load = (time) =>
    run(path.join(import.meta.dirname, 'load.mjs'), [target.url, target.key, '1', time, 'streams', count]);
  // Warm: what the first streams allocate stays.
  await load('0');
  const before = { cpu: cpuSeconds(target.pid), rss: rssMegabytes(target.pid) };
  const { streams, clean, chunks } = await load(seconds);
  return {
    streams,
    clean,
    cpuMicrosecondsPerChunk: ((cpuSeconds(target.pid) - before.cpu) / chunks) * 1e6,
    rssGrowthMegabytes: rssMegabytes(target.pid) - before.rss,
  };
}
