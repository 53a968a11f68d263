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

/**
 * Two thirds from the beginning and one third from the end, where the text is longer than `limit`. Characters are
 * counted as PostgreSQL does, an emoji as one.
 */
export function headAndTail(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const characters = Array.from(text);
  if (characters.length <= limit) return text;
  const room = Math.max(0, limit - CUT.length);
  const head = Math.ceil((room * 2) / 3);
  const tail = room - head;
  const [first, last] = [characters.slice(0, head), characters.slice(characters.length - tail)];
  return first.join('') + CUT.slice(0, limit) + last.join('');
}

function at(values: readonly number[], index: number): number {
  return values[index] ?? 0;
}
