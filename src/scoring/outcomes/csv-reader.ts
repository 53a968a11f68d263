/** Reads comma-separated values as RFC 4180 has them; lines may end in CRLF or LF, and empty ones are skipped. */

export interface CsvRecord {
  /** Of its first character, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** The text breaks a rule of quoting. */
export class CsvSyntaxError extends Error {
  constructor(
    readonly line: number,
    reason: string,
  ) {
    super(reason);
    this.name = 'CsvSyntaxError';
  }
}

/** One record after the other, so that no file is held twice. @throws CsvSyntaxError */
export function* csvRecords(text: string): Generator<CsvRecord> {
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const end = endOfLine(text, at);
    const plain = text.slice(at, end);
    if (plain.includes('"')) {
      const quoted = quotedRecord(text, at, line);
      yield { line, cells: quoted.cells };
      line += quoted.lines;
      at = quoted.next;
    } else {
      const cells = withoutReturn(plain);
      if (cells !== '') yield { line, cells: cells.split(',') };
      line += 1;
      at = end + 1;
    }
  }
}

interface QuotedRecord {
  readonly cells: readonly string[];
  /** Where the next record begins. */
  readonly next: number;
  /** How many lines it takes. */
  readonly lines: number;
}

interface QuotedCell {
  readonly value: string;
  /** Just behind its closing quote. */
  readonly next: number;
}

function quotedRecord(text: string, start: number, line: number): QuotedRecord {
  const cells: string[] = [];
  let at = start;
  let lineEnd = endOfLine(text, start);
  for (;;) {
    if (lineEnd < at) lineEnd = endOfLine(text, at);
    const { value, next } = text[at] === '"' ? quotedCell(text, at, line) : plainCell(text, at, lineEnd);
    cells.push(value);
    const end = text.startsWith('\r\n', next) ? next + 1 : next;
    if (end >= text.length || text[end] === '\n') {
      const lines = text.slice(start, end).split('\n').length;
      return { cells, next: end + 1, lines };
    }
    if (text[next] !== ',') throw new CsvSyntaxError(line, 'has something behind a closing quote');
    at = next + 1;
  }
}

function plainCell(text: string, at: number, end: number): QuotedCell {
  const comma = text.indexOf(',', at);
  if (comma !== -1 && comma < end) return { value: text.slice(at, comma), next: comma };
  const value = withoutReturn(text.slice(at, end));
  return { value, next: at + value.length };
}

function quotedCell(text: string, start: number, line: number): QuotedCell {
  let value = '';
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote === -1) throw new CsvSyntaxError(line, 'has a quote that is never closed');
    value += text.slice(at, quote);
    if (text[quote + 1] !== '"') return { value, next: quote + 1 };
    value += '"';
    at = quote + 2;
  }
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end;
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
