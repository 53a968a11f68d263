import { AccountChanges } from '../../../src/auth/accounts/account-changes';
import { AuthService } from '../../../src/auth/accounts/auth.service';
import { SessionService } from '../../../src/auth/accounts/session.service';
import { UsersRepository } from '../../../src/auth/accounts/users.repository';
import { LoginLimiter } from '../../../src/auth/brute-force/login-limiter';
import { PasswordHasher } from '../../../src/auth/credentials/password.hasher';
import { InvalidCredentialsError, WrongPasswordError } from '../../../src/auth/index';
import type { RequestContext } from '../../../src/common/index';
import { visitor } from './support';

type Mocked<T> = { [K in keyof T]: jest.Mock };

function build(): {
  auth: AuthService;
  users: Mocked<Pick<UsersRepository, 'findByEmail' | 'getSelf'>>;
  passwords: Mocked<Pick<PasswordHasher, 'hash' | 'verify'>>;
  limiter: Mocked<Pick<LoginLimiter, 'login' | 'confirmation'>>;
  sessions: Mocked<Pick<SessionService, 'open'>>;
  changes: Mocked<Pick<AccountChanges, 'setPassword'>>;
} {
  const users = { findByEmail: jest.fn(), getSelf: jest.fn() };
  const passwords = { hash: jest.fn().mockResolvedValue('new'), verify: jest.fn().mockResolvedValue(false) };
  const limiter = {
    login: jest.fn((_email: string, _address: string, check: () => Promise<unknown>) => check()),
    confirmation: jest.fn((_userId: string, check: () => Promise<unknown>) => check()),
  };
  const sessions = { open: jest.fn((user: unknown) => Promise.resolve({ user })) };
  const changes = { setPassword: jest.fn().mockResolvedValue(true) };
  const auth = new AuthService(
    users as unknown as UsersRepository,
    passwords as unknown as PasswordHasher,
    limiter as unknown as LoginLimiter,
    sessions as unknown as SessionService,
    changes as unknown as AccountChanges,
  );
  return { auth, users, passwords, limiter, sessions, changes };
}

describe(AuthService.name, () => {
  it.each([
    undefined,
    { passwordHash: 'phc', disabledAt: null },
    { passwordHash: 'phc', disabledAt: new Date() },
  ])('compares one hash at login whatever the account is (%j)', async (user) => {
    const { auth, users, passwords, limiter, sessions } = build();
    users.findByEmail.mockResolvedValue(user);
    await expect(auth.login(visitor, 'Ada@Example.com', 'wrong')).rejects.toBeInstanceOf(
      InvalidCredentialsError,
    );
    expect(users.findByEmail).toHaveBeenCalledWith('ada@example.com');
    expect(passwords.verify.mock.calls).toEqual([['wrong', user?.passwordHash]]);
    expect(limiter.login).toHaveBeenCalledWith('ada@example.com', visitor.address, expect.any(Function));
    expect(sessions.open).not.toHaveBeenCalled();
  });

  it('opens a session for the right password of an active account only', async () => {
    const { auth, users, passwords, sessions } = build();
    const user = { passwordHash: 'phc', disabledAt: null };
    passwords.verify.mockResolvedValue(true);
    users.findByEmail.mockResolvedValue({ ...user, disabledAt: new Date() });
    await expect(auth.login(visitor, 'ada@example.com', 'right')).rejects.toBeInstanceOf(
      InvalidCredentialsError,
    );
    users.findByEmail.mockResolvedValue(user);
    await expect(auth.login(visitor, 'ada@example.com', 'right')).resolves.toEqual({ user });
    expect(sessions.open.mock.calls).toEqual([[user]]);
  });

  it('changes a password only after the current one was given', async () => {
    const { auth, users, passwords, changes } = build();
    const ctx = {} as RequestContext;
    const user = { id: 'id', passwordHash: 'phc' };
    users.getSelf.mockResolvedValue(user);
    await expect(auth.changePassword(ctx, 'wrong', 'next')).rejects.toBeInstanceOf(WrongPasswordError);
    expect(changes.setPassword).not.toHaveBeenCalled();
    passwords.verify.mockResolvedValue(true);
    await auth.changePassword(ctx, 'right', 'next');
    expect(changes.setPassword.mock.calls).toEqual([[ctx, user, 'new']]);
  });
});
