/** Comma-separated values as RFC 4180 has them, safe to open in a spreadsheet. */

export type CsvCell = string | number | null | undefined;

const LINE_END = '\r\n';
const NEEDS_QUOTES = /[",\r\n]/;
/** What spreadsheets take for a formula. The apostrophe that defuses it is not shown there. */
const STARTS_FORMULA = /^[=+\-@\t\r]/;

export function csvRow(cells: readonly CsvCell[]): string {
  return cells.map(csvCell).join(',') + LINE_END;
}

function csvCell(cell: CsvCell): string {
  if (cell === null || cell === undefined) return '';
  if (typeof cell === 'number') return String(cell);
  const text = STARTS_FORMULA.test(cell) ? `'${cell}` : cell;
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
