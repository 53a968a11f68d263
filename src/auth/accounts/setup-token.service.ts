import { Injectable } from '@nestjs/common';
import { isSameSecret } from '../../common/index';
import { AppConfig } from '../../config/index';
import { UsersRepository } from './users.repository';

const KEY_PURPOSE = 'setup-token/v1';

/**
 * The one-time token that the first account of a production installation needs. Derived from LATTICE_SECRET_KEY: it is
 * stored nowhere, every node knows the same one, and it is worth nothing once an account exists.
 */
@Injectable()
export class SetupTokenService {
  private readonly token: string;
  private readonly isRequired: boolean;

  constructor(
    config: AppConfig,
    private readonly users: UsersRepository,
  ) {
    this.token = `lls_${config.keys.current(KEY_PURPOSE).key.toString('base64url')}`;
    this.isRequired = config.isProduction;
  }

  /** The token to print at start; undefined outside production and when an account exists. */
  async setupToken(): Promise<string | undefined> {
    if (!this.isRequired || (await this.users.hasAny())) return undefined;
    return this.token;
  }

  /** May the very first account be created with this token? */
  accepts(offered: string | undefined): boolean {
    return !this.isRequired || isSameSecret(offered ?? '', this.token);
  }
}
