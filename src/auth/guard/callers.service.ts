import { Injectable } from '@nestjs/common';
import type { Principal } from '../../common/index';
import { UnauthenticatedError } from '../../errors/index';
import { TooManyAttemptsError } from '../auth.errors';
import { AttemptLimiter } from '../brute-force/attempt-limiter';
import { API_KEY_PREFIX } from '../credentials/secret-token';
import { Authenticator } from './authenticator.service';

/** Look-ups at the same time, in this process, for all addresses together that have sent too many unknown keys. */
const GATE_WIDTH = 2;

/** Whose address is read only when it is needed: behind trusted proxies it is worked out anew each time. */
export interface Sender {
  readonly ip: string;
}

type Found = Principal | undefined;

/**
 * Who stands behind a credential, and how many unknown keys an address may try. Beyond that its keys are still looked up
 * while hardly anybody else's are, so that a valid key from there gets through and a flood of guesses costs PostgreSQL
 * nothing; a key that is cached needs no look-up and always passes.
 */
@Injectable()
export class Callers {
  private lookingUp = 0;

  constructor(
    private readonly authenticator: Authenticator,
    private readonly attempts: AttemptLimiter,
  ) {}

  /**
   * The caller as PostgreSQL knows them now.
   * @param isGuess whether the credential counts as guessed when it is unknown
   * @throws UnauthenticatedError, TooManyAttemptsError, ServiceUnavailableError (database away)
   */
  async identify(credential: string, address: string, isGuess = isKey(credential)): Promise<Principal> {
    const look = (): Promise<Found> => this.authenticator.authenticate(credential);
    const isHeldUp = isGuess && this.attempts.isFull(address) && !this.authenticator.cached(credential);
    const found = await (isHeldUp ? this.throughGate(look) : look());
    return found ?? this.refuse(address, isGuess);
  }

  /** For metered routes: see `Authenticator.authenticateCached`; at once when the caller is cached. @throws as `identify` */
  identifyCached(credential: string, sender: Sender): Principal | Promise<Principal> {
    return this.authenticator.cached(credential) ?? this.identifyOnce(credential, sender.ip);
  }

  private async identifyOnce(credential: string, address: string): Promise<Principal> {
    const isGuess = isKey(credential);
    const look = (): Found | Promise<Found> => this.authenticator.authenticateCached(credential);
    const found = await (isGuess && this.attempts.isFull(address) ? this.throughGate(look) : look());
    return found ?? this.refuse(address, isGuess);
  }

  private async throughGate(look: () => Found | Promise<Found>): Promise<Found> {
    // The gate is free again sooner than the window of the address ends.
    if (this.lookingUp >= GATE_WIDTH) throw new TooManyAttemptsError(new Date());
    this.lookingUp += 1;
    try {
      return await look();
    } finally {
      this.lookingUp -= 1;
    }
  }

  private refuse(address: string, isGuess: boolean): never {
    if (isGuess) {
      this.attempts.check(address);
      this.attempts.countFailure(address);
    }
    throw new UnauthenticatedError('The credential is not valid, or not any more.');
  }
}

/** Only keys are worth guessing. An access token that has expired is the normal end of every one. */
function isKey(credential: string): boolean {
  return credential.startsWith(API_KEY_PREFIX);
}
