import { Injectable, Logger } from '@nestjs/common';

const QUIET_MS = 30_000;
const MAX_KNOWN = 500;
/** Ids and numbers, which make the same message look new. */
const PARTICULARS = /[0-9a-f]{8}-[0-9a-f-]{27}|\d+(\.\d+)?/gi;
/** Cancelled runs and those of others: told by whoever did it. */
const EXPECTED = /no longer owned by this execution|was cancelled during execution/;

/**
 * What DBOS says, in our log: its news at debug, and each of its complaints once in 30 s, since while PostgreSQL is away
 * it makes many a second.
 */
@Injectable()
export class DbosLogger {
  private readonly logger = new Logger('Durable');
  private readonly known = new Map<string, { until: number; suppressed: number }>();
  private isQuiet = false;

  /** From here on everything is expected, such as runs that end because their pool does. */
  hush(): void {
    this.isQuiet = true;
  }

  debug(entry: unknown): void {
    this.logger.debug(String(entry));
  }

  info(entry: unknown): void {
    this.logger.debug(String(entry));
  }

  warn(entry: unknown): void {
    const text = String(entry);
    if (EXPECTED.test(text)) this.logger.debug(text);
    else this.complain(text, (said) => this.logger.warn(said));
  }

  error(entry: unknown, metadata?: { readonly stack?: string }): void {
    const stack = metadata?.stack ?? (entry instanceof Error ? entry.stack : undefined);
    this.complain(String(entry), (text) => this.logger.error(text, stack));
  }

  private complain(text: string, write: (text: string) => void): void {
    if (this.isQuiet) {
      this.logger.debug(text);
      return;
    }
    const key = text.replace(PARTICULARS, '#');
    const now = performance.now();
    const before = this.known.get(key);
    if (before && now < before.until) {
      before.suppressed += 1;
      return;
    }
    if (this.known.size >= MAX_KNOWN) this.known.clear();
    this.known.set(key, { until: now + QUIET_MS, suppressed: 0 });
    write(before && before.suppressed > 0 ? `${text} (and ${before.suppressed} times before)` : text);
  }
}
