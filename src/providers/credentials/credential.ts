import type { OwnedResource } from '../../auth/index';
import type { ProviderId } from '../../common/index';

/** `unreadable`: the installation's secret key that it was sealed with is gone. */
export const CREDENTIAL_STATES = ['ready', 'unreadable'] as const;
export type CredentialState = (typeof CREDENTIAL_STATES)[number];

/** `refused`: the provider answered that this credential may not. `unreachable`: it gave no usable answer. */
export const VERIFICATIONS = ['ok', 'refused', 'unreachable'] as const;
export type Verification = (typeof VERIFICATIONS)[number];

/** All that is known of a credential but its secret. UUIDs. */
export interface Credential {
  readonly id: string;
  readonly userId: string;
  readonly provider: ProviderId;
  readonly name: string | null;
  /** The last characters of a key that is long enough. */
  readonly hint: string | null;
  readonly state: CredentialState;
  readonly isActive: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** To the minute. */
  readonly lastUsedAt: Date | null;
}

/** One version of an active credential; another key, or switching it off and on, makes another version. */
export interface CredentialRef {
  readonly id: string;
  readonly version: number;
}

/** The active credentials of one owner, one per provider at most. Another object whenever one of them changes. */
export type OwnCredentials = ReadonlyMap<ProviderId, CredentialRef>;

/** For `@OwnedBy`. */
export const CREDENTIAL: OwnedResource = {
  prefix: 'crd',
  name: 'credential',
  table: 'provider_credentials',
};
