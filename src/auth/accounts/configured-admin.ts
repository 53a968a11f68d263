import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { AppConfig } from '../../config/index';
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
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { admin } = this.config;
    if (!admin || (await this.users.hasAny())) return;
    const email = normalizeEmail(admin.email);
    const passwordHash = await this.passwords.hash(admin.password);
    await this.users.add({ email, name: 'Administrator', passwordHash }, (isFirst) =>
      isFirst ? 'admin' : undefined,
    );
  }
}
