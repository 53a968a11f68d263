import { fromApiId, newId, toApiId } from '../../../src/common/index';

describe('ids', () => {
  it('makes UUIDs of version 7 that sort by time', () => {
    const early = newId(1_700_000_000_000);
    const late = newId(1_700_000_000_001);
    expect(early).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(early < late).toBe(true);
  });

  it('makes no id twice', () => {
    const ids = Array.from({ length: 20_000 }, () => newId(1_700_000_000_000));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('keeps the time in the first 48 bits', () => {
    expect(Number.parseInt(newId(1_790_000_000_123).replaceAll('-', '').slice(0, 12), 16)).toBe(
      1_790_000_000_123,
    );
  });

  it('turns an id into its API form and back', () => {
    const id = newId();
    expect(toApiId('req', id)).toMatch(/^req_[0-9a-f]{32}$/);
    expect(fromApiId('req', toApiId('req', id))).toBe(id);
  });

  it.each(['key_0', 'req_XYZ', '', "req_'; drop table users", 'req_019a00000000700080000000000000'])(
    'finds no id in %p',
    (text) => {
      expect(fromApiId('req', text)).toBeUndefined();
    },
  );

  it('does not take the id of another kind', () => {
    expect(fromApiId('key', toApiId('req', newId()))).toBeUndefined();
  });
});
