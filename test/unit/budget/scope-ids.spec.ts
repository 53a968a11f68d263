import { scopeApiId, scopeFilter, scopeUuid } from '../../../src/budget/scope-ids';
import { newId, toApiId } from '../../../src/common/index';
import { ValidationError } from '../../../src/errors/index';

const uuid = newId();

describe(scopeUuid.name, () => {
  it.each([
    ['user', 'usr'],
    ['key', 'key'],
    ['project', 'prj'],
    ['run', 'run'],
  ] as const)('of a %s is behind an id that starts with %s', (scope, prefix) => {
    const id = toApiId(prefix, uuid);
    expect(scopeUuid(scope, id)).toBe(uuid);
    expect(scopeApiId(scope, uuid)).toBe(id);
    expect(scopeFilter(id)).toEqual({ scope, scopeIds: [uuid] });
  });

  it('is none for the installation', () => {
    expect([scopeUuid('global', undefined), scopeUuid('global', null)]).toEqual([undefined, undefined]);
    expect(scopeApiId('global', undefined)).toBeNull();
    expect(scopeFilter(undefined)).toBeUndefined();
  });

  it.each([
    ['global', toApiId('usr', uuid)],
    ['user', toApiId('key', uuid)],
    ['user', undefined],
    ['key', uuid],
    ['run', `run_${'0'.repeat(32)}`],
    ['project', `prj_${'0'.repeat(32)}`],
  ] as const)('of %s cannot be %s', (scope, id) => {
    expect(() => scopeUuid(scope, id)).toThrow(ValidationError);
    expect(() => scopeUuid(scope, id)).toThrow(expect.objectContaining({ param: 'scopeId' }));
  });
});
