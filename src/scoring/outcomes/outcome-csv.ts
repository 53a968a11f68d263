/** The outcomes of a CSV file. */
import { isTaskType, parseUsd, TASK_TYPES, type TaskType } from '../../common/index';
import { ValidationError } from '../../errors/index';
import { type CsvRecord, csvRecords, CsvSyntaxError } from './csv-reader';
import type { NewOutcome } from './outcome';

const REQUIRED = ['task_type', 'model', 'score'] as const;
export const OUTCOME_COLUMNS = [
  'pool',
  'prompt_id',
  ...REQUIRED,
  'dataset',
  'cost_usd',
  'in_tokens',
  'out_tokens',
] as const;
type Column = (typeof OUTCOME_COLUMNS)[number];

export const MAX_NAME_CHARS = 200;
const MAX_TOKENS = 1_000_000_000;
const MAX_COST_USD = 1_000_000;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?$/i;
const PICO_DIGITS = 12;

const MAX_COLUMNS = 100;

export type CsvOutcome = Omit<NewOutcome, 'source' | 'sameAs'>;

export interface OutcomeFile {
  /** Columns that mean nothing here. */
  readonly ignored: readonly string[];
  /** Read as they are asked for. @throws ValidationError naming line and column */
  readonly outcomes: Iterable<CsvOutcome>;
}

/** @throws ValidationError when the header lacks a column or names one twice, or the text is no CSV in UTF-8 */
export function readOutcomeFile(bytes: Uint8Array): OutcomeFile {
  const records = csvRecords(decoded(bytes));
  const header = nextOf(records);
  if (!header) throw refused(1, `is empty: a header with at least ${REQUIRED.join(', ')} is needed`);
  const names = header.cells.map((name) => name.trim().toLowerCase());
  if (names.length > MAX_COLUMNS) throw refused(header.line, `has more than ${MAX_COLUMNS} columns`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw refused(header.line, `names the column ${shown(twice)} twice`);
  const missing = REQUIRED.filter((name) => !names.includes(name));
  if (missing.length > 0) throw refused(header.line, `lacks the column ${missing.join(', ')}`);
  const isKnown = (name: string): boolean => (OUTCOME_COLUMNS as readonly string[]).includes(name);
  return { ignored: names.filter((name) => !isKnown(name)), outcomes: outcomesOf(records, names) };
}

function* outcomesOf(records: Iterator<CsvRecord>, names: readonly string[]): Generator<CsvOutcome> {
  const places = new Map(OUTCOME_COLUMNS.map((column) => [column, names.indexOf(column)]));
  for (let record = nextOf(records); record; record = nextOf(records)) {
    const { line, cells } = record;
    if (cells.length !== names.length) {
      throw refused(line, `has ${cells.length} cells, the header ${names.length}`);
    }
    yield outcomeOf(new Row(line, (column) => cells[places.get(column) ?? -1]?.trim() ?? ''));
  }
}

function outcomeOf(row: Row): CsvOutcome {
  return {
    model: row.text('model') ?? row.fail('model', 'is empty'),
    taskType: row.taskType(),
    score: row.number('score', 1) ?? row.fail('score', 'is empty'),
    costPicoUsd: row.picoUsd('cost_usd'),
    promptTokens: row.tokens('in_tokens'),
    completionTokens: row.tokens('out_tokens'),
    pool: row.text('pool'),
    dataset: row.text('dataset'),
    promptId: row.text('prompt_id'),
  };
}

class Row {
  constructor(
    private readonly line: number,
    private readonly cell: (column: Column) => string,
  ) {}

  text(column: Column): string | undefined {
    const value = this.cell(column);
    if (value.length > MAX_NAME_CHARS) this.fail(column, `has more than ${MAX_NAME_CHARS} characters`);
    if (value.includes('\0')) this.fail(column, 'holds the NUL character (U+0000)');
    return value || undefined;
  }

  taskType(): TaskType {
    const value = this.cell('task_type').toUpperCase();
    return isTaskType(value) ? value : this.fail('task_type', `must be one of ${TASK_TYPES.join(', ')}`);
  }

  /** From 0 to `max`. */
  number(column: Column, max: number): number | undefined {
    const value = this.cell(column);
    if (value === '') return undefined;
    const number = NUMBER.test(value) ? Number(value) : NaN;
    if (!(number >= 0 && number <= max)) this.fail(column, `must be a number from 0 to ${max}`);
    return number;
  }

  tokens(column: Column): number | undefined {
    const number = this.number(column, MAX_TOKENS);
    if (number !== undefined && !Number.isInteger(number)) this.fail(column, 'must be a whole number');
    return number;
  }

  /** Files often hold more digits than there are pico-dollars. */
  picoUsd(column: Column): bigint | undefined {
    const number = this.number(column, MAX_COST_USD);
    return number === undefined ? undefined : parseUsd(number.toFixed(PICO_DIGITS));
  }

  fail(column: Column, reason: string): never {
    throw refused(this.line, reason, column);
  }
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ValidationError('The file is not UTF-8: save it as CSV in UTF-8', { param: 'body', cause });
  }
}

function nextOf(records: Iterator<CsvRecord>): CsvRecord | undefined {
  try {
    const { value, done } = records.next() as IteratorResult<CsvRecord, undefined>;
    return done ? undefined : value;
  } catch (error) {
    if (error instanceof CsvSyntaxError) throw refused(error.line, error.message);
    throw error;
  }
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, MAX_NAME_CHARS));
}

function refused(line: number, reason: string, column?: Column): ValidationError {
  const place = column === undefined ? `Line ${line}` : `Line ${line}, column ${column}`;
  return new ValidationError(`${place} ${reason}. Nothing was stored.`, {
    param: column ?? 'body',
    details: { line, column },
  });
}
