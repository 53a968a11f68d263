import type { OutcomeCounts } from '../learning-rows.repository';

/**
 * What made a version: other outcomes, other estimates of the catalog that they are compared with, or that the newest one
 * could not be read any more.
 */
export const VERSION_REASONS = ['outcomes', 'import', 'removal', 'feedback', 'catalog', 'repair'] as const;
export type VersionReason = (typeof VERSION_REASONS)[number];

/** The catalog's estimates; always there, and pinned by this name. */
export const PRIOR = 'prior';

/** One state of what was learned. Never changed. */
export interface CapabilityVersion {
  /** A number, as text. */
  readonly version: string;
  readonly createdAt: Date;
  /** UUID of the administrator whose call made it. */
  readonly createdBy?: string;
  readonly reason: VersionReason;
  /** What it rests on. */
  readonly outcomes: OutcomeCounts;
  /** When routing stopped using it. */
  readonly usedUntil?: Date;
}

/** Which version decides. */
export interface VersionInForce {
  /** `prior` or a number. */
  readonly version: string;
  readonly pinned?: string;
  readonly pinnedAt?: Date;
  /** UUID. */
  readonly pinnedBy?: string;
}

/** Who had outcomes learned, and why. */
export interface LearningCause {
  readonly reason: Exclude<VersionReason, 'catalog' | 'repair'>;
  /** UUID. */
  readonly userId?: string;
}
