import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/index';
import { TooManyAttemptsError } from '../auth.errors';
import { addressGroup, type Bucket, bucketName } from './attempt-buckets';
import { AttemptsRepository } from './attempts.repository';

const WINDOW_SECONDS = 900;
/** From one address on one account: what a forgetful person needs. */
const PAIR_LIMIT = 10;
/** From one address on any account: somebody who guesses. */
const ADDRESS_LIMIT = 100;
/** On one account from all addresses that are strange to it: somebody who guesses from many. */
const ACCOUNT_LIMIT = 1000;
/** An address is known to an account for so long after a login, and an account knows so many. */
const KNOWN_DAYS = 30;
const KNOWN_ADDRESSES = 20;

/** Answers undefined when the password was wrong. */
type Check<T> = () => Promise<T | undefined>;

/**
 * Bounds how often passwords are tried, per account and address together, per address and per account. An attempt
 * counts from its start, so that simultaneous ones are not free; a refused one counts nowhere, so that one address
 * alone cannot use up what an account has. Nor can many together lock its owner out: addresses that the account was
 * logged in from lately do not share what strangers have. Whether the account exists makes no difference.
 */
@Injectable()
export class LoginLimiter {
  constructor(
    private readonly config: AppConfig,
    private readonly attempts: AttemptsRepository,
  ) {}

  /** @throws TooManyAttemptsError until the window ends. */
  async login<T>(email: string, address: string, check: Check<T>): Promise<T | undefined> {
    const from = addressGroup(address);
    const pair = { name: this.name('pair', email, from), limit: PAIR_LIMIT };
    const account = { name: this.name('account', email), limit: ACCOUNT_LIMIT };
    const others = [{ name: this.name('address', from), limit: ADDRESS_LIMIT }];
    const visitor = { account: account.name, visitor: pair.name };
    if (!(await this.attempts.isKnown(visitor))) others.push(account);
    const result = await this.attempt(pair, others, check);
    if (result !== undefined) await this.attempts.remember(visitor, KNOWN_DAYS, KNOWN_ADDRESSES);
    return result;
  }

  /** Of a user who is logged in and has to prove it. @throws TooManyAttemptsError until the window ends. */
  confirmation<T>(userId: string, check: Check<T>): Promise<T | undefined> {
    return this.attempt({ name: this.name('confirmation', userId), limit: PAIR_LIMIT }, [], check);
  }

  private async attempt<T>(own: Bucket, others: readonly Bucket[], check: Check<T>): Promise<T | undefined> {
    const buckets = [own, ...others];
    const fullUntil = await this.attempts.count(buckets, WINDOW_SECONDS);
    if (fullUntil) throw new TooManyAttemptsError(fullUntil);
    let result: T | undefined;
    try {
      result = await check();
    } catch (error) {
      // Nobody learnt whether the password is right. What cannot be taken back ends with the window.
      await this.attempts.takeBack(buckets).catch(() => undefined);
      throw error;
    }
    // Success clears the caller's own count; elsewhere it takes back itself only, or it would cover other guesses.
    if (result !== undefined) await this.attempts.takeBack(buckets, own);
    return result;
  }

  private name(kind: string, ...parts: readonly string[]): string {
    return bucketName(this.config.keys, kind, ...parts);
  }
}
