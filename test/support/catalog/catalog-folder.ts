import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const made: string[] = [];
afterAll(() => made.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

/** A configuration folder of its own with these files below `catalog/`; gone when the test file has ended. */
export function catalogFolder(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'lattice-catalog-'));
  made.push(folder);
  mkdirSync(path.join(folder, 'catalog'));
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, 'catalog', name), text);
  return folder;
}

const SCORE = 0.5;

/** A tier named `any`, so that a test's models need no scores of their own. */
export const ANY_TIER = `tiers:
  any: { CODE_GENERATION: ${SCORE}, DEBUGGING: ${SCORE}, DATA_ANALYSIS: ${SCORE}, MATH: ${SCORE}, REASONING: ${SCORE}, CREATIVE_WRITING: ${SCORE}, TRANSLATION: ${SCORE}, SUMMARIZATION: ${SCORE}, EXTRACTION: ${SCORE}, CLASSIFICATION: ${SCORE}, GENERAL: ${SCORE}, VISION: ${SCORE}, TOOL_USE: ${SCORE} }
`;

/** The YAML of one model; further fields as YAML lines of a flow map. */
export function modelYaml(id: string, more = ''): string {
  const own = `id: '${id}', tier: any, contextWindowTokens: 1000, maxOutputTokens: 100, speed: fast, size: small`;
  return `  - { ${own}${more ? `, ${more}` : ''} }\n`;
}

export function modelsYaml(...models: readonly string[]): string {
  return `${ANY_TIER}models:\n${models.join('')}`;
}
