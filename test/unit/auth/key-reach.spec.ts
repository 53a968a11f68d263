import { beyond, type KeyReach } from '../../../src/auth/keys/key-reach';

const everything: KeyReach = { scopes: null, allowedModels: null, expiresAt: null };
const [soon, later] = [new Date('2030-01-01'), new Date('2031-01-01')];

describe(beyond.name, () => {
  it.each<[string, Partial<KeyReach>, Partial<KeyReach>, keyof KeyReach | undefined]>([
    ['the same', { scopes: ['usage:read'] }, { scopes: ['usage:read'] }, undefined],
    ['less', { scopes: ['usage:read', 'inference'] }, { scopes: ['inference'] }, undefined],
    ['another scope', { scopes: ['usage:read'] }, { scopes: ['usage:write'] }, 'scopes'],
    ['every scope', { scopes: ['usage:read'] }, { scopes: null }, 'scopes'],
    ['a scope under a wildcard', { scopes: ['usage:*'] }, { scopes: ['usage:write'] }, undefined],
    ['a reading scope under *:read', { scopes: ['*:read'] }, { scopes: ['keys:read'] }, undefined],
    ['a writing scope under *:read', { scopes: ['*:read'] }, { scopes: ['keys:write'] }, 'scopes'],
    ['a wildcard over a scope', { scopes: ['usage:read'] }, { scopes: ['usage:*'] }, 'scopes'],
    ['a wildcard over its parts', { scopes: ['*:read'] }, { scopes: ['usage:*'] }, 'scopes'],
    ['the same wildcard', { scopes: ['*:read'] }, { scopes: ['*:read'] }, undefined],
    ['a restriction', {}, { scopes: ['inference'], allowedModels: ['a/b'], expiresAt: soon }, undefined],
    [
      'a model under its provider',
      { allowedModels: ['openai/*'] },
      { allowedModels: ['openai/x'] },
      undefined,
    ],
    [
      'a provider over its model',
      { allowedModels: ['openai/x'] },
      { allowedModels: ['openai/*'] },
      'allowedModels',
    ],
    ['another model', { allowedModels: ['openai/x'] }, { allowedModels: ['openai/xy'] }, 'allowedModels'],
    ['another provider', { allowedModels: ['openai/*'] }, { allowedModels: ['xai/x'] }, 'allowedModels'],
    ['every model', { allowedModels: ['openai/*'] }, { allowedModels: null }, 'allowedModels'],
    ['an earlier end', { expiresAt: later }, { expiresAt: soon }, undefined],
    ['the same end', { expiresAt: later }, { expiresAt: later }, undefined],
    ['a later end', { expiresAt: soon }, { expiresAt: later }, 'expiresAt'],
    ['no end', { expiresAt: soon }, { expiresAt: null }, 'expiresAt'],
  ])('%s: of %j wanting %j', (_name, own, wanted, expected) => {
    expect(beyond({ ...everything, ...own }, { ...everything, ...wanted })).toBe(expected);
  });
});
