import { Injectable } from '@nestjs/common';
import type { RequestContext } from '../../common/index';
import { AppConfig } from '../../config/index';
import { InvalidCredentialsError, RegistrationFailedError } from '../auth.errors';
import { PasswordHasher } from '../credentials/password.hasher';
import { normalizeEmail } from './email';
import type { UserEntity } from '../entities/user.entity';
import { type Session, SessionService } from './session.service';
import { SetupTokenService } from './setup-token.service';
import { UsersRepository } from './users.repository';

export interface Registration {
  readonly email: string;
  readonly password: string;
  readonly name: string;
  readonly setupToken?: string;
}

/** Accounts and logins. Answers and hashing work never depend on whether an account exists. */
@Injectable()
export class AuthService {
  constructor(
    private readonly config: AppConfig,
    private readonly users: UsersRepository,
    private readonly passwords: PasswordHasher,
    private readonly sessions: SessionService,
    private readonly setup: SetupTokenService,
  ) {}

  /**
   * Creates an account and logs it in. The very first one is the administrator.
   * @throws RegistrationFailedError when the address is taken or the first account lacks the setup token.
   */
  async register({ email, password, name, setupToken }: Registration): Promise<Session> {
    const passwordHash = await this.passwords.hash(password);
    const user = await this.users.add({ email: normalizeEmail(email), name, passwordHash }, (isFirst) => {
      if (!isFirst) return this.config.vars.AUTH_DEFAULT_ROLE;
      return this.setup.accepts(setupToken) ? 'admin' : undefined;
    });
    if (!user) throw new RegistrationFailedError();
    return this.sessions.open(user);
  }

  /** @throws InvalidCredentialsError when there is no such account, it is disabled or the password is wrong. */
  async login(email: string, password: string): Promise<Session> {
    const user = await this.users.findByEmail(normalizeEmail(email));
    const isCorrect = await this.passwords.verify(password, user?.passwordHash);
    if (!user || !isCorrect || user.disabledAt) throw new InvalidCredentialsError();
    return this.sessions.open(user);
  }

  /** @throws InvalidRefreshTokenError */
  refresh(refreshToken: string): Promise<Session> {
    return this.sessions.refresh(refreshToken);
  }

  me(ctx: RequestContext): Promise<UserEntity> {
    return this.users.getSelf(ctx);
  }
}
