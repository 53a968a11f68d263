/**
 * How many characters of each earlier result a task is given when all may take `limit` together: short ones whole, the
 * long ones share what is left evenly. Pure.
 * @param lengths of the results, in characters
 */
export function contextShares(lengths: readonly number[], limit: number): readonly number[] {
  const shares = [...lengths];
  const byLength = lengths.map((_, index) => index).toSorted((a, b) => at(lengths, a) - at(lengths, b));
  let left = limit;
  byLength.forEach((index, rank) => {
    const even = Math.floor(left / (byLength.length - rank));
    const share = Math.min(at(lengths, index), even);
    shares[index] = share;
    left -= share;
  });
  return shares;
}

const CUT = '\n\n[… cut …]\n\n';

/** Two thirds from the beginning and one third from the end, where the text is longer than `limit`. */
export function headAndTail(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const room = Math.max(0, limit - CUT.length);
  const head = Math.ceil((room * 2) / 3);
  const tail = room - head;
  const kept = text.slice(0, head) + CUT + (tail > 0 ? text.slice(-tail) : '');
  return kept.slice(0, limit).toWellFormed();
}

function at(values: readonly number[], index: number): number {
  return values[index] ?? 0;
}
