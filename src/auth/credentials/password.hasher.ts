import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { HashQueue } from './hash-queue';
import { type Argon2Parameters, formatPasswordHash, parsePasswordHash } from './password-hash';

/** OWASP's second Argon2id setting: 19 MiB, 2 passes, 1 lane. */
const PARAMETERS: Argon2Parameters = { memoryKiB: 19_456, passes: 2, parallelism: 1 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** Two at once leave half of libuv's threads to files and DNS, and bound the memory at 38 MiB. */
const MAX_RUNNING = 2;
const MAX_WAITING = 256;

interface Derivation {
  readonly parameters: Argon2Parameters;
  readonly salt: Buffer;
  readonly length: number;
}

/** Hashes passwords off the event loop. Every byte of a password counts. */
@Injectable()
export class PasswordHasher {
  private readonly queue = new HashQueue(MAX_RUNNING, MAX_WAITING);
  /** Compared with when there is no account, so that both cases cost the same. */
  private readonly decoy = formatPasswordHash({
    parameters: PARAMETERS,
    salt: randomBytes(SALT_BYTES),
    hash: randomBytes(HASH_BYTES),
  });

  /** @throws ServiceUnavailableError when too many hashes wait already. */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const hash = await this.derive(password, { parameters: PARAMETERS, salt, length: HASH_BYTES });
    return formatPasswordHash({ parameters: PARAMETERS, salt, hash });
  }

  /** False, after the same work, when there is no stored hash. */
  async verify(password: string, stored: string | undefined): Promise<boolean> {
    const { salt, hash, parameters } = parsePasswordHash(stored ?? this.decoy);
    const derived = await this.derive(password, { parameters, salt, length: hash.length });
    return timingSafeEqual(derived, hash) && stored !== undefined;
  }

  private derive(password: string, { parameters, salt, length }: Derivation): Promise<Buffer> {
    const { memoryKiB: memory, passes, parallelism } = parameters;
    // One password typed on two systems may arrive composed or decomposed.
    const message = password.normalize('NFC');
    const options = { message, nonce: salt, memory, passes, parallelism, tagLength: length };
    return this.queue.run(
      () =>
        new Promise((resolve, reject) => {
          argon2('argon2id', options, (error, key) => (error ? reject(error) : resolve(key)));
        }),
    );
  }
}
