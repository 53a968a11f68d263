/**
 * Load from a process of its own. `node load.mjs URL KEY CONNECTIONS SECONDS` sends a 1 KB prompt as fast as it is
 * answered and prints one JSON object: requests, failures, p50Ms, p99Ms. `… streams COUNT` opens that many streams at
 * once, until SECONDS are over, and counts those that brought every frame.
 */
import { Agent, request } from 'undici';

const [url, key, connections, seconds, mode, count] = process.argv.slice(2);
const prompt = 'Summarise the quarterly sales report and list three risks. '.repeat(16);
const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
const dispatcher = new Agent({ connections: mode ? Number(count) : Number(connections), pipelining: 1 });
const body = (more = {}) =>
  JSON.stringify({
    model: 'auto',
    messages: [
      { role: 'system', content: 'You are terse.' },
      { role: 'user', content: prompt },
    ],
    temperature: 0.2,
    max_tokens: 128,
    ...more,
  });

async function fire() {
  const latencies = [];
  let failures = 0;
  const text = body();
  const until = performance.now() + Number(seconds) * 1000;
  const lane = async () => {
    while (performance.now() < until) {
      const start = performance.now();
      const response = await request(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers,
        body: text,
        dispatcher,
      });
      await response.body.arrayBuffer();
      if (response.statusCode !== 200) failures += 1;
      latencies.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: Number(connections) }, lane));
  latencies.sort((left, right) => left - right);
  const at = (share) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))];
  return { requests: latencies.length, failures, p50Ms: at(0.5), p99Ms: at(0.99) };
}

const DELTAS = 64;

async function streams() {
  const text = body({ stream: true });
  const one = async () => {
    const response = await request(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers,
      body: text,
      dispatcher,
    });
    const frames = (await response.body.text()).split('\n\n');
    return (
      frames.filter((frame) => frame.includes(' word')).length === DELTAS && frames.includes('data: [DONE]')
    );
  };
  const until = performance.now() + Number(seconds) * 1000;
  const results = [];
  do {
    results.push(...(await Promise.all(Array.from({ length: Number(count) }, one))));
  } while (performance.now() < until);
  return { streams: results.length, clean: results.filter(Boolean).length, chunks: results.length * DELTAS };
}

process.stdout.write(`${JSON.stringify(mode === 'streams' ? await streams() : await fire())}\n`);
await dispatcher.close();
