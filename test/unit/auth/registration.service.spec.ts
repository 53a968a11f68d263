import { RegistrationRules } from '../../../src/auth/accounts/registration-rules';
import { RegistrationService } from '../../../src/auth/accounts/registration.service';
import { SessionService } from '../../../src/auth/accounts/session.service';
import { SetupTokenService } from '../../../src/auth/accounts/setup-token.service';
import { type Admission, UsersRepository } from '../../../src/auth/accounts/users.repository';
import { PasswordHasher } from '../../../src/auth/credentials/password.hasher';
import { RegistrationFailedError } from '../../../src/auth/index';
import { InvitesRepository } from '../../../src/auth/users/invites.repository';
import type { AuditSink } from '../../../src/errors/index';
import type { EntityManager } from 'typeorm';
import { testConfig, visitor } from './support';

const manager = {} as EntityManager;

describe(RegistrationRules.name, () => {
  const invites = { lockUsable: jest.fn() };

  beforeEach(() => invites.lockUsable.mockReset());

  function rules(mode: string, env: NodeJS.ProcessEnv = {}): RegistrationRules {
    const config = testConfig({ AUTH_REGISTRATION: mode, ...env });
    const setup = new SetupTokenService(config, {} as UsersRepository);
    return new RegistrationRules(config, setup, invites as unknown as InvitesRepository);
  }

  const email = 'ada@example.com';
  const invite = { id: 'the-invite', role: 'viewer' };

  it.each(['open', 'closed', 'invite'])('makes the first account the administrator (%s)', async (mode) => {
    await expect(rules(mode).grant({ email }, true, manager)).resolves.toEqual({ role: 'admin' });
    const strict = rules(mode, { LATTICE_ENV: 'production' });
    await expect(strict.grant({ email }, true, manager)).resolves.toBeUndefined();
  });

  it.each([
    ['open', undefined, { role: 'operator' }],
    ['open', 'good', { role: 'viewer', inviteId: 'the-invite' }],
    ['open', 'bad', undefined],
    ['open', '', undefined],
    ['invite', undefined, undefined],
    ['invite', 'good', { role: 'viewer', inviteId: 'the-invite' }],
    ['invite', 'bad', undefined],
    ['closed', undefined, undefined],
    ['closed', 'good', undefined],
  ])('%s, with the invite %j: %j', async (mode, inviteToken, grant) => {
    invites.lockUsable.mockImplementation((_manager: unknown, token: string) =>
      Promise.resolve(token === 'good' ? invite : undefined),
    );
    await expect(rules(mode).grant({ email, inviteToken }, false, manager)).resolves.toEqual(grant);
  });
});

describe(RegistrationService.name, () => {
  it.each([undefined, 'viewer'])('hashes once before anything is judged (role: %s)', async (role) => {
    const order: string[] = [];
    const passwords = {
      hash: jest.fn(() => {
        order.push('hash');
        return Promise.resolve('phc');
      }),
    };
    const rules = { grant: jest.fn(() => Promise.resolve(role && { role })) };
    const users = {
      add: jest.fn(async (_user: unknown, admission: Admission) => {
        order.push('add');
        expect(await admission.roleOf(false, manager)).toBe(role);
        // As when the address is taken.
        return undefined;
      }),
    };
    const registration = new RegistrationService(
      rules as unknown as RegistrationRules,
      users as unknown as UsersRepository,
      {} as InvitesRepository,
      passwords as unknown as PasswordHasher,
      { open: jest.fn() } as unknown as SessionService,
      { record: jest.fn() } as unknown as AuditSink,
    );
    const person = { email: 'Ada@Example.com', password: 'long enough', name: 'Ada' };
    await expect(registration.register(visitor, person)).rejects.toBeInstanceOf(RegistrationFailedError);
    expect(order).toEqual(['hash', 'add']);
    expect(passwords.hash.mock.calls).toEqual([['long enough']]);
    expect(users.add.mock.calls[0]?.[0]).toEqual({
      email: 'ada@example.com',
      name: 'Ada',
      passwordHash: 'phc',
    });
  });
});
