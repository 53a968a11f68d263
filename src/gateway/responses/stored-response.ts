import type { OwnedResource } from '../../auth/index';
import type { JsonObject } from '../../common/index';

/** For `@OwnedBy`. */
export const RESPONSE: OwnedResource = { prefix: 'resp', name: 'response', table: 'responses' };

/** What one request added to the conversation. */
export interface Turn {
  /** With ids. */
  readonly input: readonly JsonObject[];
  readonly output: readonly JsonObject[];
}

export interface StoredResponse extends Turn {
  /** The response without its output. */
  readonly answer: JsonObject;
}
