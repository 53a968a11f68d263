import { randomBytes } from 'node:crypto';
import { formatPasswordHash, parsePasswordHash } from '../../../src/auth/credentials/password-hash';
import { PasswordHasher } from '../../../src/auth/credentials/password.hasher';

describe(PasswordHasher.name, () => {
  const hasher = new PasswordHasher();

  it('accepts the password it hashed and no other', async () => {
    const stored = await hasher.hash('correct horse');
    await expect(hasher.verify('correct horse', stored)).resolves.toBe(true);
    await expect(hasher.verify('correct Horse', stored)).resolves.toBe(false);
  });

  it.each([73, 128])('tells passwords of %d characters apart by their last one', async (length) => {
    const stored = await hasher.hash(`${'x'.repeat(length - 1)}a`);
    await expect(hasher.verify(`${'x'.repeat(length - 1)}b`, stored)).resolves.toBe(false);
    await expect(hasher.verify(`${'x'.repeat(length - 1)}a`, stored)).resolves.toBe(true);
  });

  it('stores the algorithm, its parameters and a new salt each time', async () => {
    const [one, other] = await Promise.all([hasher.hash('same password'), hasher.hash('same password')]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(one).not.toBe(other);
  });

  it('verifies a hash that was made with other parameters', async () => {
    // Made by the reference implementation: argon2 somesalt -id -t 2 -m 16 -p 1 (password "password").
    const stored = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
    await expect(hasher.verify('password', stored)).resolves.toBe(true);
    await expect(hasher.verify('passwore', stored)).resolves.toBe(false);
  });

  it('accepts a composed and a decomposed spelling of one password', async () => {
    const stored = await hasher.hash('caf\u00e9 au lait');
    await expect(hasher.verify('cafe\u0301 au lait', stored)).resolves.toBe(true);
  });

  it('refuses every password when there is no stored hash', async () => {
    await expect(hasher.verify('whatever', undefined)).resolves.toBe(false);
  });
});

describe(parsePasswordHash.name, () => {
  it('reads back what formatPasswordHash wrote', () => {
    const original = {
      parameters: { memoryKiB: 8, passes: 3, parallelism: 4 },
      salt: randomBytes(16),
      hash: randomBytes(32),
    };
    expect(parsePasswordHash(formatPasswordHash(original))).toEqual(original);
  });

  it('refuses other text without repeating it', () => {
    expect(() => parsePasswordHash('$2b$10$secret')).toThrow(/^(?!.*secret).*Argon2id/);
  });
});
