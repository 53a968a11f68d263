import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { IsInstant, parseInstant } from '../../../src/common/index';

class Period {
  @IsInstant()
  from: string;
}

describe(parseInstant.name, () => {
  it.each([
    ['2026-01-31', '2026-01-31T00:00:00.000Z'],
    ['2026-01-31T10:20', '2026-01-31T10:20:00.000Z'],
    ['2026-01-31T10:20:30.5', '2026-01-31T10:20:30.500Z'],
    ['2026-01-31T10:20:30Z', '2026-01-31T10:20:30.000Z'],
    ['2026-01-31T10:20:30+02:00', '2026-01-31T08:20:30.000Z'],
    ['2026-01-31T23:30:00-01:00', '2026-02-01T00:30:00.000Z'],
  ])('reads %s as %s, wherever the server stands', (text, read) => {
    expect(parseInstant(text)).toBe(read);
    const period = plainToInstance(Period, { from: text });
    expect(validateSync(period)).toEqual([]);
    expect(period.from).toBe(read);
  });

  it.each([
    '',
    'yesterday',
    '2026',
    '2026-13-01',
    '2026-02-30',
    '2026-W05',
    '2026-060',
    '0000-01-01',
    '0001-01-01T00:30:00+01:00',
    '9999-12-31T23:30:00-01:00',
    '-2026-01-01',
    '2026-01-01T10.5Z',
    '1767139200000',
  ])('refuses %j and says what to write', (text) => {
    expect(parseInstant(text)).toBeUndefined();
    const [error] = validateSync(plainToInstance(Period, { from: text }));
    expect(error?.constraints).toEqual({ isInstant: expect.stringMatching(/^from must be a date such as/) });
  });
});
