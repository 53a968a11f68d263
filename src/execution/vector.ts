/** Vectors in the two forms that clients and providers use. Pure. */
import type { EmbeddingEncoding } from '../common/index';
import type { EmbeddingVector } from '../providers/index';

const BYTES_PER_FLOAT = 4;

export function lengthOf(vector: EmbeddingVector): number {
  return typeof vector === 'string' ? Buffer.byteLength(vector, 'base64') / BYTES_PER_FLOAT : vector.length;
}

/** The vector in the form that was asked for; the same object when it has that form. */
export function encodeVector(vector: EmbeddingVector, encoding: EmbeddingEncoding): EmbeddingVector {
  if (encoding === 'base64') return typeof vector === 'string' ? vector : toBase64(vector);
  return typeof vector === 'string' ? toNumbers(vector) : vector;
}

function toBase64(numbers: readonly number[]): string {
  const bytes = Buffer.allocUnsafe(numbers.length * BYTES_PER_FLOAT);
  for (const [index, value] of numbers.entries()) bytes.writeFloatLE(value, index * BYTES_PER_FLOAT);
  return bytes.toString('base64');
}

function toNumbers(text: string): number[] {
  const bytes = Buffer.from(text, 'base64');
  return Array.from({ length: Math.floor(bytes.length / BYTES_PER_FLOAT) }, (_, index) =>
    bytes.readFloatLE(index * BYTES_PER_FLOAT),
  );
}
