import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type ProviderId } from '../../common/index';
import { toServiceUnavailable } from '../../errors/index';
import type { CredentialRef } from './credential';
import { CREDENTIAL_PROVIDERS, type CredentialSecret } from './credential-secret';
import { CredentialSecrets, type SealedFor } from './credential-secrets';

/** Which version of which credential an owner uses for a provider. */
export interface ActiveCredential extends CredentialRef {
  readonly userId: string;
  readonly provider: ProviderId;
}

interface ActiveRow {
  readonly id: string;
  readonly version: number;
  readonly user_id: string;
  readonly provider: ProviderId;
}

interface SealedRow extends Pick<ActiveRow, 'id' | 'user_id' | 'provider'> {
  readonly sealed: Buffer;
}

const ACTIVE = `
  select id, version, user_id, provider from provider_credentials
  where is_active and ($1::uuid is null or user_id = $1)`;
const SEALED = `
  select sealed from provider_credentials
  where id = $1 and version = $2 and user_id = $3 and provider = $4 and is_active`;
const TOUCH = `
  update provider_credentials set last_used_at = now()
  where id = $1 and version = $2 and is_active returning id`;
const OLDER_SEALS = `
  select id, user_id, provider, sealed from provider_credentials
  where substring(sealed from 1 for 4) <> $1 and ($2::uuid is null or id > $2) order by id limit $3`;
/** Not when it was set again meanwhile. The version stays: it is the same secret. */
const RESEAL = 'update provider_credentials set sealed = $3 where id = $1 and sealed = $2';

/** What calls of providers need of the credentials: who has which, and the secret of one. */
@Injectable()
export class CredentialStore {
  constructor(
    private readonly database: DataSource,
    private readonly secrets: CredentialSecrets,
  ) {}

  /** Without secrets. @param ownerId UUID; everybody's when left out. @throws ServiceUnavailableError */
  async active(ownerId?: string): Promise<readonly ActiveCredential[]> {
    const rows = await this.ask<ActiveRow[]>(ACTIVE, [ownerId ?? null]);
    return rows
      .filter(({ provider }) => CREDENTIAL_PROVIDERS.includes(provider))
      .map(({ id, version, user_id: userId, provider }) => ({ id, version, userId, provider }));
  }

  /**
   * `gone`: there is no such version any more; an undefined secret cannot be opened.
   * @throws ServiceUnavailableError
   */
  async secret(credential: ActiveCredential): Promise<{ secret?: CredentialSecret } | 'gone'> {
    const { id, version, userId, provider } = credential;
    const [row] = await this.ask<SealedRow[]>(SEALED, [id, version, userId, provider]);
    return row ? { secret: this.secrets.open(credential, row.sealed) } : 'gone';
  }

  /** Notes its use. @returns false when there is no such version any more. */
  async touch({ id, version }: CredentialRef): Promise<boolean> {
    const [rows] = await this.ask<[unknown[], number]>(TOUCH, [id, version]);
    return rows.length > 0;
  }

  /**
   * Seals with the current secret key what an earlier one had sealed, `limit` at a time.
   * @returns the id to go on after; undefined at the end.
   */
  async resealSome(limit: number, afterId?: string): Promise<{ lastId?: string; unreadable: number }> {
    const parameters = [this.secrets.currentHead, afterId ?? null, limit];
    const rows = await this.ask<SealedRow[]>(OLDER_SEALS, parameters);
    let unreadable = 0;
    for (const row of rows) {
      const bound: SealedFor = { id: row.id, userId: row.user_id, provider: row.provider };
      const secret = this.secrets.open(bound, row.sealed);
      if (secret) await this.ask(RESEAL, [row.id, row.sealed, this.secrets.seal(bound, secret)]);
      else unreadable += 1;
    }
    return { lastId: rows.length === limit ? rows.at(-1)?.id : undefined, unreadable };
  }

  private async ask<T>(sql: string, parameters: unknown[]): Promise<T> {
    try {
      return await this.database.query<T>(sql, parameters);
    } catch (error) {
      throw toServiceUnavailable(error) ?? error;
    }
  }
}
