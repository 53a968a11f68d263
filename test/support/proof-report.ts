/** Sizes and results of the proofs: small in CI, full by `npm run proof`, whose figures become docs/proofs.md. */
import { appendFileSync } from 'node:fs';

export const isFullSize = process.env.PROOF_SIZE === 'full';

/** One size for CI, another for `npm run proof`. */
export function proofSize<T>(ci: T, full: T): T {
  return isFullSize ? full : ci;
}

/** Notes what a proof has shown, one value a row or one for each of its columns; `npm run proof` names the file. */
export function reportProof(
  proof: number,
  figures: Readonly<Record<string, string | number | readonly string[]>>,
): void {
  const file = process.env.PROOF_REPORT;
  if (file) appendFileSync(file, `${JSON.stringify({ proof, figures })}\n`);
}
