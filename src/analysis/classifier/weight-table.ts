import type { FeatureGroup } from './text-features';

const WEIGHTS_PER_WORD = 4;
/** Makes a weight of -128 to 127 a byte of 0 to 255. */
const OFFSET = 128;
/** The first and the third byte of a word, as two numbers of 16 bits. */
const EVEN_BYTES = 0x00ff00ff;
/** So many bytes add up to less than 2 to the power of 16. */
const MAX_ADDENDS = 256;

/**
 * The weights by feature and type, four of a feature in one word of 32 bits, so that four are added at once. Nearly all
 * the time of a classification would go here otherwise.
 */
export class WeightTable {
  private readonly wordsPerRow: number;
  private readonly words: Int32Array;
  private readonly result: Int32Array;

  /** @param weights of the first feature for each type, then of the second, … */
  constructor(weights: Int8Array, typeCount: number) {
    this.wordsPerRow = Math.ceil(typeCount / WEIGHTS_PER_WORD);
    this.result = new Int32Array(this.wordsPerRow * WEIGHTS_PER_WORD);
    this.words = new Int32Array((weights.length / typeCount) * this.wordsPerRow);
    for (let place = 0; place < weights.length; place += 1) {
      const type = place % typeCount;
      const row = (place - type) / typeCount;
      const word = row * this.wordsPerRow + Math.floor(type / WEIGHTS_PER_WORD);
      const byte = (weights[place] as number) + OFFSET;
      this.words[word] = (this.words[word] as number) | (byte << (8 * (type % WEIGHTS_PER_WORD)));
    }
  }

  /** By type: the sum of the weights of the group's features, which are all within the table. Valid until the next call. */
  sums({ ids, count }: FeatureGroup): Int32Array {
    this.result.fill(0);
    for (let start = 0; start < count; start += MAX_ADDENDS) {
      const end = Math.min(count, start + MAX_ADDENDS);
      for (let column = 0; column < this.wordsPerRow; column += 1) this.add(ids, { start, end, column });
    }
    return this.result;
  }

  private add(
    ids: Int32Array,
    { start, end, column }: { readonly start: number; readonly end: number; readonly column: number },
  ): void {
    const { words, wordsPerRow, result } = this;
    let even = 0;
    let odd = 0;
    for (let place = start; place < end; place += 1) {
      const word = words[Math.imul(ids[place] as number, wordsPerRow) + column] as number;
      even = (even + (word & EVEN_BYTES)) | 0;
      odd = (odd + ((word >>> 8) & EVEN_BYTES)) | 0;
    }
    const offset = (end - start) * OFFSET;
    const first = column * WEIGHTS_PER_WORD;
    result[first] = (result[first] as number) + (even & 0xffff) - offset;
    result[first + 1] = (result[first + 1] as number) + (odd & 0xffff) - offset;
    result[first + 2] = (result[first + 2] as number) + (even >>> 16) - offset;
    result[first + 3] = (result[first + 3] as number) + (odd >>> 16) - offset;
  }
}
