import type { RetryPolicy } from './retry-policy';

export const ROLES = ['admin', 'operator', 'viewer'] as const;
export type Role = (typeof ROLES)[number];

/** Who acts. A key acts for its owner, so `userId` is always set. UUIDs, not API ids. */
export interface Principal {
  readonly userId: string;
  readonly role: Role;
  readonly keyId?: string;
  /** Which secret of the key was sent: the first digits of its digest. A rotation ends it. */
  readonly keyGeneration?: string;
  /** What the key may do of what its owner may, as permissions; undefined: everything but managing credentials. */
  readonly scopes?: readonly string[];
  /** Models the key may use: canonical ids or `provider/*`; undefined: every model. */
  readonly allowedModels?: readonly string[];
  /** The key asks for the response cache wherever a request does not say otherwise. */
  readonly usesCache?: boolean;
  /** The `jti` of the access token. */
  readonly tokenId?: string;
  /** The login session of the access token. */
  readonly sessionId?: string;
  /** From the last time PostgreSQL could be asked, because it is away now: only what the degraded float allows. */
  readonly isUnconfirmed?: boolean;
}

/** What work the request belongs to, copied onto every usage line. UUIDs. */
export interface WorkScope {
  readonly projectId?: string;
  readonly runId?: string;
  readonly taskId?: string;
  readonly sessionId?: string;
  readonly stageId?: string;
  /** Agent type, such as `coder`. */
  readonly agent?: string;
}

/** The explicit first argument of every method that acts for a caller. */
export interface RequestContext {
  /** UUIDv7 made here for every request; the ledger's idempotency key. */
  readonly requestId: string;
  /** 32 hexadecimal digits, from `traceparent` when the caller sent one. */
  readonly traceId: string;
  readonly principal: Principal;
  /** Aborted when the client goes away, the deadline passes or the process shuts down; the reason says which. */
  readonly signal: AbortSignal;
  readonly work?: WorkScope;
  /** When the deadline passes, milliseconds since the epoch; undefined means never. */
  readonly deadlineAt?: number;
  /** What the route's `@RetryWith` declared. */
  readonly retry?: RetryPolicy;
  /** Of one step of durable work: sent upstream as `Idempotency-Key`, the same however often the step is begun. */
  readonly stepKey?: string;
}
