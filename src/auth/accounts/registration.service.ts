import { Injectable } from '@nestjs/common';
import { toApiId } from '../../common/index';
import { AuditSink } from '../../errors/index';
import { RegistrationFailedError } from '../auth.errors';
import { PasswordHasher } from '../credentials/password.hasher';
import { InvitesRepository } from '../users/invites.repository';
import { normalizeEmail } from './email';
import { type Grant, RegistrationRules } from './registration-rules';
import { type Session, SessionService } from './session.service';
import { UsersRepository } from './users.repository';
import { contextOf, type VisitorContext } from './visitor';

export interface Registration {
  readonly email: string;
  readonly password: string;
  readonly name: string;
  readonly setupToken?: string;
  readonly inviteToken?: string;
}

/** Creates accounts. Answers and hashing work are the same whatever the reason of a refusal. */
@Injectable()
export class RegistrationService {
  constructor(
    private readonly rules: RegistrationRules,
    private readonly users: UsersRepository,
    private readonly invites: InvitesRepository,
    private readonly passwords: PasswordHasher,
    private readonly sessions: SessionService,
    private readonly audit: AuditSink,
  ) {}

  /**
   * Creates an account and logs it in. The very first one is the administrator.
   * @throws RegistrationFailedError when the address is taken, or nobody may register like this.
   */
  async register(visitor: VisitorContext, { password, name, ...applicant }: Registration): Promise<Session> {
    const passwordHash = await this.passwords.hash(password);
    const email = normalizeEmail(applicant.email);
    let grant: Grant | undefined;
    const user = await this.users.add(
      { email, name, passwordHash },
      {
        roleOf: async (isFirst, manager) => {
          grant = await this.rules.grant({ ...applicant, email }, isFirst, manager);
          return grant?.role;
        },
        added: async ({ id, role }, manager) => {
          const inviteId = grant?.inviteId;
          if (inviteId !== undefined) await this.invites.use(manager, inviteId);
          const after = { email, name, role, inviteId: inviteId && toApiId('inv', inviteId) };
          const entry = { action: 'user.register', resourceId: toApiId('usr', id), after };
          await this.audit.record(contextOf(visitor, { userId: id, role }), entry, manager);
        },
      },
    );
    if (!user) throw new RegistrationFailedError();
    return this.sessions.open(user);
  }
}
