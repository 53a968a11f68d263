import { AuthService } from '../../../src/auth/accounts/auth.service';
import { SessionService } from '../../../src/auth/accounts/session.service';
import { SetupTokenService } from '../../../src/auth/accounts/setup-token.service';
import { UsersRepository } from '../../../src/auth/accounts/users.repository';
import { PasswordHasher } from '../../../src/auth/credentials/password.hasher';
import { InvalidCredentialsError, RegistrationFailedError } from '../../../src/auth/index';
import { testConfig } from './support';

type Mocked<T> = { [K in keyof T]: jest.Mock };

function build(): {
  auth: AuthService;
  users: Mocked<Pick<UsersRepository, 'add' | 'findByEmail'>>;
  passwords: Mocked<Pick<PasswordHasher, 'hash' | 'verify'>>;
} {
  const users = { add: jest.fn(), findByEmail: jest.fn() };
  const passwords = { hash: jest.fn().mockResolvedValue('phc'), verify: jest.fn().mockResolvedValue(false) };
  const config = testConfig({ LATTICE_ENV: 'production' });
  const auth = new AuthService(
    config,
    users as unknown as UsersRepository,
    passwords as unknown as PasswordHasher,
    { open: jest.fn() } as unknown as SessionService,
    new SetupTokenService(config, users as unknown as UsersRepository),
  );
  return { auth, users, passwords };
}

const registration = { email: 'Ada@Example.com', password: 'long enough', name: 'Ada' };

describe(AuthService.name, () => {
  it.each(['the address is taken', 'the setup token is missing'])('hashes once when %s', async (reason) => {
    const { auth, users, passwords } = build();
    const isFirst = reason.includes('setup');
    users.add.mockImplementation((_user: unknown, roleOf: (isFirst: boolean) => string | undefined) => {
      expect(roleOf(isFirst)).toBe(isFirst ? undefined : 'operator');
      return Promise.resolve(undefined);
    });
    await expect(auth.register(registration)).rejects.toBeInstanceOf(RegistrationFailedError);
    expect(passwords.hash.mock.calls).toEqual([['long enough']]);
  });

  it.each([
    undefined,
    { passwordHash: 'phc', disabledAt: null },
    { passwordHash: 'phc', disabledAt: new Date() },
  ])('compares one hash at login whatever the account is (%j)', async (user) => {
    const { auth, users, passwords } = build();
    users.findByEmail.mockResolvedValue(user);
    await expect(auth.login('Ada@Example.com', 'wrong')).rejects.toBeInstanceOf(InvalidCredentialsError);
    expect(users.findByEmail).toHaveBeenCalledWith('ada@example.com');
    expect(passwords.verify.mock.calls).toEqual([['wrong', user?.passwordHash]]);
  });
});
