import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import type { SecretKey } from './secret-key';

/** One derived key and the short id that signatures and sealed values carry, so that keys can be rotated. */
export interface RingKey {
  /** 8 hexadecimal digits. */
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

const KEY_BYTES = 32;
const ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = 'aes-256-gcm';

/**
 * Keys for signing and sealing. Every purpose (`access-token/v1`) has its own, so that no two uses of the configured
 * secret share key material. New values use the current secret; those of previous secrets are still verified and opened.
 */
export class KeyRing {
  private readonly secrets: readonly SecretKey[];
  private readonly derived = new Map<string, readonly RingKey[]>();

  constructor(current: SecretKey, previous: readonly SecretKey[] = []) {
    this.secrets = [current, ...previous];
  }

  /** The key that signs now. */
  current(purpose: string): RingKey {
    const [key] = this.all(purpose);
    if (!key) throw new Error('A key ring has at least one key');
    return key;
  }

  /** The key with this id, current or previous. */
  find(purpose: string, id: string): RingKey | undefined {
    return this.all(purpose).find((key) => key.id === id);
  }

  /** The current key first. */
  all(purpose: string): readonly RingKey[] {
    let keys = this.derived.get(purpose);
    if (!keys) this.derived.set(purpose, (keys = this.secrets.map((secret) => derive(secret, purpose))));
    return keys;
  }

  /** Encrypts and authenticates (AES-256-GCM): key id, nonce, tag, ciphertext. `bound` must be the same when it is opened. */
  seal(purpose: string, bound: string, plain: Buffer): Buffer {
    const { id, key } = this.current(purpose);
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(bound));
    const body = Buffer.concat([cipher.update(plain), cipher.final()]);
    return Buffer.concat([Buffer.from(id, 'hex'), nonce, cipher.getAuthTag(), body]);
  }

  /** What was sealed, or undefined when it was altered, belongs to something else or its key is gone. */
  open(purpose: string, bound: string, sealed: Buffer): Buffer | undefined {
    const head = ID_BYTES + NONCE_BYTES;
    if (sealed.length < head + TAG_BYTES) return undefined;
    const found = this.find(purpose, sealed.subarray(0, ID_BYTES).toString('hex'));
    if (!found) return undefined;
    const decipher = createDecipheriv(CIPHER, found.key, sealed.subarray(ID_BYTES, head), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(bound)).setAuthTag(sealed.subarray(head, head + TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(head + TAG_BYTES)), decipher.final()]);
    } catch {
      return undefined;
    }
  }
}

function derive(secret: SecretKey, purpose: string): RingKey {
  const key = Buffer.from(hkdfSync('sha256', secret.reveal(), '', `lattice/${purpose}`, KEY_BYTES));
  return {
    key,
    id: createHash('sha256')
      .update(key)
      .digest('hex')
      .slice(0, ID_BYTES * 2),
  };
}
