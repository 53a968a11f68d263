import { hkdfSync } from 'node:crypto';
import type { SecretKey } from '../../config/index';

const KEY_BYTES = 32;

/** A key for one purpose, so that no two uses of the configured secret share key material. */
export function deriveKey(secret: SecretKey, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret.reveal(), '', `lattice/${purpose}`, KEY_BYTES));
}
