import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { newId, newTraceId, type Principal, type RequestContext, toApiId } from '../../common/index';
import { AppConfig } from '../../config/index';
import { AuditSink } from '../../errors/index';
import { PasswordHasher } from '../credentials/password.hasher';
import { normalizeEmail } from './email';
import { UsersRepository } from './users.repository';

/** Creates the account of LATTICE_ADMIN_EMAIL at boot, while the installation has no account. */
@Injectable()
export class ConfiguredAdmin implements OnApplicationBootstrap {
  constructor(
    private readonly config: AppConfig,
    private readonly users: UsersRepository,
    private readonly passwords: PasswordHasher,
    private readonly audit: AuditSink,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { admin } = this.config;
    if (!admin || (await this.users.hasAny())) return;
    const email = normalizeEmail(admin.email);
    const passwordHash = await this.passwords.hash(admin.password);
    await this.users.add(
      { email, name: 'Administrator', passwordHash },
      {
        roleOf: (isFirst) => (isFirst ? 'admin' : undefined),
        added: ({ id, role }, manager) => {
          const entry = {
            action: 'user.configure',
            resourceId: toApiId('usr', id),
            after: { email, name: 'Administrator', role },
          };
          return this.audit.record(bootContext({ userId: id, role }), entry, manager);
        },
      },
    );
  }
}

/** No request stands behind what happens at boot. */
function bootContext(principal: Principal): RequestContext {
  return { requestId: newId(), traceId: newTraceId(), principal, signal: new AbortController().signal };
}
