import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Principal, Role } from '../common/index';

const CHECK = `
  select u.role from users u
  where u.id = $1 and u.disabled_at is null
    and ($2::uuid is null or exists (
      select from api_keys k
      where k.id = $2 and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
    ))
    and ($3::uuid is null or not exists (select from revoked_tokens t where t.token_id = $3))
    and ($4::uuid is null or exists (
      select from login_sessions s where s.id = $4 and s.revoked_at is null
    ))`;

/** Whether somebody who was let in a while ago would still be. */
@Injectable()
export class PrincipalCheck {
  constructor(private readonly database: DataSource) {}

  /** The principal with the role of now; undefined when user, key, token or session were disabled or revoked. */
  async renew(principal: Principal): Promise<Principal | undefined> {
    const { userId, keyId, tokenId, sessionId } = principal;
    const parameters = [userId, keyId, tokenId, sessionId].map((id) => id ?? null);
    const [row] = await this.database.query<{ role: Role }[]>(CHECK, parameters);
    return row && { ...principal, role: row.role };
  }
}
