/** Task analysis per prompt, in this process: 1 KB prompts that all differ, then one that is known. */
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

const require = createRequire(import.meta.url);
const WARM_UP = 3000;
const ROUNDS = 3000;
const WORDS =
  'write a function that sorts the quarterly sales report and list three risks for our team in plain English with examples please translate this paragraph into German summarise what changed and explain why the build fails with an error'.split(
    ' ',
  );

/** Deterministic, so that two runs read the same prompts. */
function prompt(seed) {
  let state = seed * 2654435761;
  let text = '';
  while (text.length < 1024) {
    state = (state * 1664525 + 1013904223) >>> 0;
    text += `${WORDS[state % WORDS.length]} `;
  }
  return text;
}

function requestOf(content) {
  const body = { model: 'auto', messages: [{ role: 'user', content }] };
  return { body, options: { tools: [] }, bodyBytes: content.length + 80 };
}

function cpuMicrosecondsPer(rounds, work) {
  const before = process.cpuUsage();
  for (let round = 0; round < rounds; round++) work(round);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / rounds;
}

export async function analysisMicroseconds() {
  const { AnalysisService, PatternSet } = require('../dist/src/analysis/index.js');
  const { loadConfig } = require('../dist/src/config/index.js');
  const config = loadConfig({
    LATTICE_ENV: 'test',
    LATTICE_SECRET_KEY: 'bench-'.repeat(8),
    DATA_DIR: path.join(tmpdir(), 'lattice-bench-analysis'),
  });
  const analysis = new AnalysisService(PatternSet.load(config.configDirs), config);
  const prompts = Array.from({ length: WARM_UP + ROUNDS }, (_, index) => requestOf(prompt(index)));
  for (const request of prompts.slice(0, WARM_UP)) analysis.profile(request);
  const fresh = prompts.slice(WARM_UP);
  const uncached = cpuMicrosecondsPer(ROUNDS, (round) => analysis.profile(fresh[round]));
  const [known] = fresh.slice(-1);
  cpuMicrosecondsPer(20_000, () => analysis.profile(known));
  return {
    analysisMicroseconds: uncached,
    analysisCachedMicroseconds: cpuMicrosecondsPer(20_000, () => analysis.profile(known)),
  };
}
