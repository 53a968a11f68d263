import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Role } from '../../common/index';
import { AppConfig } from '../../config/index';
import { InvitesRepository } from '../users/invites.repository';
import { SetupTokenService } from './setup-token.service';

export interface Application {
  /** Lower-case. */
  readonly email: string;
  readonly setupToken?: string;
  readonly inviteToken?: string;
}

/** What somebody may register as. */
export interface Grant {
  readonly role: Role;
  /** UUID of the invite that is used up. */
  readonly inviteId?: string;
}

/** Who may register, and as what: AUTH_REGISTRATION, invites, and the first account of all. */
@Injectable()
export class RegistrationRules {
  constructor(
    private readonly config: AppConfig,
    private readonly setup: SetupTokenService,
    private readonly invites: InvitesRepository,
  ) {}

  /**
   * The first account is the administrator whatever AUTH_REGISTRATION says, or nobody could ever open the house. An
   * invite that is offered counts wherever registration is not closed: a wrong one is refused. It stays locked until the
   * transaction ends.
   */
  async grant(
    application: Application,
    isFirst: boolean,
    manager: EntityManager,
  ): Promise<Grant | undefined> {
    if (isFirst) return this.setup.accepts(application.setupToken) ? { role: 'admin' } : undefined;
    const { AUTH_REGISTRATION: mode, AUTH_DEFAULT_ROLE: role } = this.config.vars;
    if (mode === 'closed') return undefined;
    if (application.inviteToken !== undefined) return this.invited(application, manager);
    return mode === 'open' ? { role } : undefined;
  }

  private async invited(
    { email, inviteToken = '' }: Application,
    manager: EntityManager,
  ): Promise<Grant | undefined> {
    const invite = await this.invites.lockUsable(manager, inviteToken, email);
    return invite && { role: invite.role, inviteId: invite.id };
  }
}
