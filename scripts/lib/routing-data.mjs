// Reads outcomes of several models with the same prompts: X.csv, and the prompts in X_prompts.jsonl beside it.
import { existsSync, readFileSync } from 'node:fs';
import { readJsonLines } from './classifier-examples.mjs';

const COLUMNS = [
  'pool',
  'prompt_id',
  'task_type',
  'dataset',
  'model',
  'score',
  'cost_usd',
  'in_tokens',
  'out_tokens',
];

export class DataError extends Error {}

/**
 * Pools by name: `{ name, models, prompts: [{ id, taskType, dataset, text?, outcomes: Map(model → outcome) }] }`; an outcome is
 * `{ score, costUsd, promptTokens, completionTokens }`. Only prompts that every model of their pool answered stay;
 * `leftOut` counts the others. @throws DataError naming file, line and column.
 */
export function readOutcomes(file, taskTypes) {
  const texts = readTexts(promptsFileOf(file));
  const pools = new Map();
  const [header, ...lines] = readLines(file);
  const places = placesOf(file, header.text);
  for (const { text, number } of lines) {
    const at = { file, line: number };
    const row = rowOf(splitLine(text), places, { at, taskTypes });
    const pool = pools.get(row.pool) ?? { name: row.pool, models: new Set(), prompts: new Map() };
    pools.set(row.pool, pool);
    pool.models.add(row.model);
    const prompt = pool.prompts.get(row.id) ?? {
      id: row.id,
      taskType: row.taskType,
      dataset: row.dataset,
      text: texts?.get(keyOf(row.pool, row.id)),
      outcomes: new Map(),
    };
    pool.prompts.set(row.id, prompt);
    if (prompt.outcomes.has(row.model))
      throw problem(at, 'model', `${row.model} has answered ${row.id} before`);
    prompt.outcomes.set(row.model, row.outcome);
  }
  if (pools.size === 0) throw new DataError(`${file} has no rows`);
  return new Map([...pools].map(([name, pool]) => [name, complete(pool)]));
}

export function promptsFileOf(file) {
  return file.replace(/\.csv$/i, '') + '_prompts.jsonl';
}

function complete({ name, models, prompts }) {
  const all = [...prompts.values()];
  const whole = all.filter(({ outcomes }) => outcomes.size === models.size);
  return {
    name,
    models: [...models].sort((one, other) => (one < other ? -1 : 1)),
    prompts: whole,
    leftOut: all.length - whole.length,
  };
}

function readLines(file) {
  if (!existsSync(file)) throw new DataError(`${file} does not exist`);
  const lines = readFileSync(file, 'utf8')
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((text, index) => ({ text, number: index + 1 }))
    .filter(({ text }) => text.trim() !== '');
  if (lines.length === 0) throw new DataError(`${file} is empty`);
  return lines;
}

function placesOf(file, header) {
  const names = splitLine(header).map((name) => name.trim());
  const missing = COLUMNS.filter((name) => !names.includes(name));
  if (missing.length > 0) throw new DataError(`${file}:1 lacks the column ${missing.join(', ')}`);
  return { count: names.length, of: Object.fromEntries(COLUMNS.map((name) => [name, names.indexOf(name)])) };
}

function rowOf(cells, places, { at, taskTypes }) {
  if (cells.length !== places.count)
    throw new DataError(`${at.file}:${at.line} has ${cells.length} columns instead of ${places.count}`);
  const text = (name) => {
    const cell = cells[places.of[name]].trim();
    if (cell === '') throw problem(at, name, 'is empty');
    return cell;
  };
  const number = (name, most) => {
    const value = Number(text(name));
    if (!(value >= 0 && value <= most))
      throw problem(
        at,
        name,
        `must be a number ${most === 1 ? 'from 0 to 1' : 'of at least 0'}, is "${text(name)}"`,
      );
    return value;
  };
  const taskType = text('task_type');
  if (!taskTypes.includes(taskType))
    throw problem(at, 'task_type', `must be one of ${taskTypes.join(', ')}, is "${taskType}"`);
  return {
    pool: text('pool'),
    id: text('prompt_id'),
    taskType,
    dataset: text('dataset'),
    model: text('model'),
    outcome: {
      score: number('score', 1),
      costUsd: number('cost_usd', Number.MAX_VALUE),
      promptTokens: number('in_tokens', Number.MAX_VALUE),
      completionTokens: number('out_tokens', Number.MAX_VALUE),
    },
  };
}

/** Cells between commas; a quoted one may hold commas, and a quote twice. */
function splitLine(line) {
  if (!line.includes('"')) return line.split(',');
  const cells = [];
  for (const [, quoted, plain] of `${line},`.matchAll(/(?:"((?:[^"]|"")*)"|([^,]*)),/g))
    cells.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
  return cells;
}

function readTexts(file) {
  if (!existsSync(file)) return undefined;
  const texts = new Map();
  for (const [index, row] of readJsonLines(file).entries()) {
    for (const name of ['pool', 'prompt_id', 'prompt'])
      if (typeof row[name] !== 'string') throw problem({ file, line: index + 1 }, name, 'must be a text');
    texts.set(keyOf(row.pool, row.prompt_id), row.prompt);
  }
  return texts;
}

function keyOf(pool, id) {
  return JSON.stringify([pool, id]);
}

function problem({ file, line }, column, reason) {
  return new DataError(`${file}:${line} ${column}: ${reason}`);
}
