import { Injectable } from '@nestjs/common';
import type { RequestContext } from '../../common/index';
import { InvalidCredentialsError, WrongPasswordError } from '../auth.errors';
import { LoginLimiter } from '../brute-force/login-limiter';
import { PasswordHasher } from '../credentials/password.hasher';
import type { UserEntity } from '../entities/user.entity';
import { AccountChanges } from './account-changes';
import { normalizeEmail } from './email';
import { type Session, SessionService } from './session.service';
import { UsersRepository } from './users.repository';
import type { VisitorContext } from './visitor';

/** Logins, and what users do to their own account. Answers and hashing work never depend on whether an account exists. */
@Injectable()
export class AuthService {
  constructor(
    private readonly users: UsersRepository,
    private readonly passwords: PasswordHasher,
    private readonly limiter: LoginLimiter,
    private readonly sessions: SessionService,
    private readonly changes: AccountChanges,
  ) {}

  /**
   * @throws InvalidCredentialsError when there is no such account, it is disabled or the password is wrong.
   * @throws TooManyAttemptsError
   */
  async login(visitor: VisitorContext, email: string, password: string): Promise<Session> {
    const address = normalizeEmail(email);
    const user = await this.limiter.login(address, visitor.address, async () => {
      const found = await this.users.findByEmail(address);
      const isCorrect = await this.passwords.verify(password, found?.passwordHash);
      return found && isCorrect && !found.disabledAt ? found : undefined;
    });
    if (!user) throw new InvalidCredentialsError();
    return this.sessions.open(user);
  }

  /**
   * Ends every other session of the caller. API keys stay.
   * @throws WrongPasswordError, TooManyAttemptsError
   */
  async changePassword(ctx: RequestContext, currentPassword: string, newPassword: string): Promise<void> {
    const user = await this.users.getSelf(ctx);
    const isCorrect = await this.limiter.confirmation(user.id, async () =>
      (await this.passwords.verify(currentPassword, user.passwordHash)) ? true : undefined,
    );
    if (!isCorrect) throw new WrongPasswordError();
    const passwordHash = await this.passwords.hash(newPassword);
    const isChanged = await this.changes.setPassword(ctx, user, passwordHash);
    // It was changed elsewhere since it was checked.
    if (!isChanged) throw new WrongPasswordError();
  }

  me(ctx: RequestContext): Promise<UserEntity> {
    return this.users.getSelf(ctx);
  }

  rename(ctx: RequestContext, name: string): Promise<UserEntity> {
    return this.users.renameSelf(ctx, name);
  }
}
