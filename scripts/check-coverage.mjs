// Fails when lines or functions are covered less than promised; prints a table per module.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { coverageByModule, coverageRows } from './lib/coverage.mjs';
import { projectRoot } from './lib/project.mjs';

const summary = JSON.parse(readFileSync(path.join(projectRoot, 'coverage', 'coverage-summary.json'), 'utf8'));
const files = Object.fromEntries(
  Object.entries(summary)
    .filter(([file]) => file !== 'total')
    .map(([file, figures]) => [path.relative(projectRoot, file).replaceAll('\\', '/'), figures]),
);
const rows = coverageRows(coverageByModule(files));

const cell = (value) => `${value.toFixed(1)} %`.padStart(9);
console.log(`${'module'.padEnd(16)}${'lines'.padStart(9)}${'functions'.padStart(11)}${'floor'.padStart(8)}`);
for (const row of rows) {
  const floor = row.floor === undefined ? '' : `${row.floor} %`;
  const verdict = row.isEnough ? '' : '  too low';
  console.log(
    `${row.name.padEnd(16)}${cell(row.lines)}${cell(row.functions).padStart(11)}${floor.padStart(8)}${verdict}`,
  );
}
if (rows.some((row) => !row.isEnough)) {
  console.error('Coverage is below its floor.');
  process.exitCode = 1;
}
