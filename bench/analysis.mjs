/** Task analysis per prompt, in this process: 1 KB prompts that all differ, then one that is known. */
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

const require = createRequire(import.meta.url);
const WARM_UP = 3000;
const ROUNDS = 3000;
const SENTENCES = [
  'Write a function in Python that merges two sorted lists and returns the result.',
  'The quarterly report shows a decline of twelve percent in the southern region.',
  'Please summarise the discussion in three bullet points for the management board.',
  'Translate the following paragraph into German and keep the names as they are.',
  'My build fails with "TypeError: undefined is not a function" since yesterday.',
  'If a train leaves at nine and travels at eighty kilometres an hour, when does it arrive?',
  'Our customers mostly complain about the delivery times and the packaging.',
  'Classify each review as positive, negative or neutral and explain why.',
  'The cat sat on the window sill and watched the rain fall on the empty street.',
  'Extract every date and every amount of money from the contract below.',
  'We moved the service to a new data centre in spring, which took three weekends.',
  'Compare both proposals and say which one carries less risk for a small team.',
  'Compose a short poem about the first snow in a harbour town.',
  'The table below lists name, age and income of forty participants.',
  'Could you check whether this argument is valid, and name its hidden assumption?',
  'Nobody answered the phone, so she wrote a letter and sent it the same evening.',
];

/** Deterministic, so that two runs read the same prompts; the number makes each a new one. */
function prompt(seed) {
  let state = seed;
  let text = `${seed}. `;
  while (text.length < 1024) {
    state = (state * 1664525 + 1013904223) >>> 0;
    text += `${SENTENCES[(state >>> 20) % SENTENCES.length]} `;
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
  const { AnalysisService, PatternSet, TaskClassifier } = require('../dist/src/analysis/index.js');
  const { loadConfig } = require('../dist/src/config/index.js');
  const config = loadConfig({
    LATTICE_ENV: 'test',
    LATTICE_SECRET_KEY: 'bench-'.repeat(8),
    DATA_DIR: path.join(tmpdir(), 'lattice-bench-analysis'),
  });
  const analysis = new AnalysisService(
    { current: PatternSet.load(config.configDirs) },
    TaskClassifier.load(config.configDirs),
    config,
  );
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
