import { timingSafeEqual } from 'node:crypto';

/** Compares without telling by its time where two texts differ. Their lengths are not hidden. */
export function isSameSecret(offered: string, expected: string): boolean {
  const [left, right] = [Buffer.from(offered), Buffer.from(expected)];
  return left.length === right.length && timingSafeEqual(left, right);
}
