const FIRST_CAPACITY = 8_192;
const BYTES_PER_CODE = 2;

/**
 * The UTF-16 codes of a text in an array, which is read several times faster than a string. The next text overwrites it.
 * Every processor that Node is pinned for stores numbers the way Node's `utf16le` does.
 */
export class TextCodes {
  /** The first `length` are valid. */
  codes = new Uint16Array(0);
  length = 0;
  private bytes = Buffer.alloc(0);

  read(text: string): this {
    if (text.length > this.codes.length) this.grow(text.length);
    this.length = text.length;
    this.bytes.write(text, 'utf16le');
    return this;
  }

  private grow(length: number): void {
    this.codes = new Uint16Array(Math.max(FIRST_CAPACITY, length));
    this.bytes = Buffer.from(this.codes.buffer, 0, this.codes.length * BYTES_PER_CODE);
  }
}
