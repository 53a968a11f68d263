import { Injectable } from '@nestjs/common';
import type { RequestContext } from '../common/index';
import { AppConfig } from '../config/index';
import { ValidationError } from '../errors/index';

const PURPOSE = 'cursor/v1';

/**
 * Cursors of lists: sealed, so that they show nothing, and bound to the list and to the caller, so that one user's
 * cursor is worth nothing to another. The position is whatever the list needs to go on, as JSON.
 */
@Injectable()
export class Cursors {
  constructor(private readonly config: AppConfig) {}

  /** @param list names the list and whatever else the position depends on, such as its grouping. */
  encode(ctx: RequestContext, list: string, position: unknown): string {
    const plain = Buffer.from(JSON.stringify(position));
    return this.config.keys.seal(PURPOSE, boundTo(ctx, list), plain).toString('base64url');
  }

  /**
   * The position; undefined without a cursor. Its shape is what this list encoded: nothing else can be opened.
   * @throws ValidationError when the cursor is not one that this list gave this caller.
   */
  decode<T>(ctx: RequestContext, list: string, cursor: string | undefined): T | undefined {
    if (cursor === undefined) return undefined;
    const plain = this.config.keys.open(PURPOSE, boundTo(ctx, list), Buffer.from(cursor, 'base64url'));
    if (!plain) {
      throw new ValidationError('cursor is not one that this list gave you', { param: 'cursor' });
    }
    return JSON.parse(plain.toString('utf8')) as T;
  }

  /** A page of `limit` items out of the `limit + 1` that were read, and the cursor of the next one. */
  page<T>(ctx: RequestContext, list: string, { rows, limit, positionOf }: PageSource<T>): Page<T> {
    const items = rows.slice(0, limit);
    const last = rows.length > limit ? items.at(-1) : undefined;
    return { items, nextCursor: last ? this.encode(ctx, list, positionOf(last)) : null };
  }
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Null on the last one. */
  readonly nextCursor: string | null;
}

interface PageSource<T> {
  /** One more than the page holds, when there is more. */
  readonly rows: readonly T[];
  readonly limit: number;
  readonly positionOf: (item: T) => unknown;
}

function boundTo({ principal }: RequestContext, list: string): string {
  return `${list}\0${principal.userId}`;
}
