import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type RequestContext, type Role, toApiId } from '../../common/index';
import { AppConfig } from '../../config/index';
import { AuditSink, ForbiddenError } from '../../errors/index';
import { normalizeEmail } from '../accounts/email';
import { digestOf, INVITE_TOKEN_PREFIX, newSecretToken } from '../credentials/secret-token';
import { Cursors, type Page } from '../cursors';
import type { InviteEntity } from '../entities/invite.entity';
import { noSuch, ownedId } from '../guard/owned-id';
import { InvitesRepository } from './invites.repository';

const LIST = 'invites';
const UNUSED_INVITE = { prefix: 'inv', name: 'invite that is still unused' } as const;
const HOUR_MS = 3_600_000;

export interface InviteWish {
  readonly email?: string;
  readonly role?: Role;
  readonly expiresInHours: number;
}

export interface CreatedInvite {
  readonly entity: InviteEntity;
  /** Handed out this once. */
  readonly token: string;
}

/** Invites to register; each works once. */
@Injectable()
export class InvitesService {
  constructor(
    private readonly config: AppConfig,
    private readonly database: DataSource,
    private readonly invites: InvitesRepository,
    private readonly cursors: Cursors,
    private readonly audit: AuditSink,
  ) {}

  /**
   * It lives no longer than the caller is an active administrator.
   * @throws ForbiddenError when the caller has ceased to be one meanwhile.
   */
  create(ctx: RequestContext, { email, role, expiresInHours }: InviteWish): Promise<CreatedInvite> {
    const token = newSecretToken(INVITE_TOKEN_PREFIX);
    return this.database.transaction(async (manager) => {
      const entity = await this.invites.add(ctx, manager, {
        tokenHash: digestOf(token),
        email: email === undefined ? null : normalizeEmail(email),
        role: role ?? this.config.vars.AUTH_DEFAULT_ROLE,
        expiresAt: new Date(Date.now() + expiresInHours * HOUR_MS),
      });
      if (!entity) throw new ForbiddenError('Only an active administrator can invite.');
      const entry = { action: 'invite.create', resourceId: toApiId('inv', entity.id), after: shown(entity) };
      await this.audit.record(ctx, entry, manager);
      return { entity, token };
    });
  }

  async list(ctx: RequestContext, limit: number, cursor?: string): Promise<Page<InviteEntity>> {
    const beforeId = this.cursors.decode<string>(ctx, LIST, cursor);
    const rows = await this.invites.list(ctx, limit + 1, beforeId);
    return this.cursors.page(ctx, LIST, { rows, limit, positionOf: ({ id }) => id });
  }

  /** @throws NotFoundError when it is missing, used or revoked already. */
  async revoke(ctx: RequestContext, apiId: string): Promise<void> {
    const id = ownedId(UNUSED_INVITE, apiId);
    await this.database.transaction(async (manager) => {
      const invite = await this.invites.revoke(ctx, manager, id);
      if (!invite) throw noSuch(UNUSED_INVITE);
      const entry = { action: 'invite.revoke', resourceId: apiId, before: shown(invite) };
      await this.audit.record(ctx, entry, manager);
    });
  }
}

function shown({ email, role, expiresAt }: InviteEntity): Record<string, unknown> {
  return { email, role, expiresAt: expiresAt.toISOString() };
}
