import { PageQueryDto } from '../../../src/common/index';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { CreateKeyRequestDto } from '../../../src/auth/dto/create-key.request.dto';
import { KeyBudgetDto, KeyLimitsDto } from '../../../src/auth/dto/key-allowances.dto';
import { LoginRequestDto } from '../../../src/auth/dto/login.request.dto';
import { LogoutRequestDto } from '../../../src/auth/dto/logout.request.dto';
import { RegisterRequestDto } from '../../../src/auth/dto/register.request.dto';
import { RotateKeyRequestDto } from '../../../src/auth/dto/rotate-key.request.dto';

/** Names of the fields that are wrong. */
function wrongFields(type: new () => object, body: object): string[] {
  return validateSync(plainToInstance(type, body)).map(({ property }) => property);
}

const registration = { email: 'ada@example.com', password: 'eight888', name: 'Ada' };

describe(RegisterRequestDto.name, () => {
  it('accepts an ordinary registration', () => {
    expect(wrongFields(RegisterRequestDto, registration)).toEqual([]);
  });

  it.each([
    'a@b',
    'ada',
    'ada@',
    '@example.com',
    'ada@@example.com',
    'ada@exa mple.com',
    'ada\u0000@example.com',
    7,
    null,
  ])('refuses the email %j', (email) =>
    expect(wrongFields(RegisterRequestDto, { ...registration, email })).toEqual(['email']),
  );

  it.each(['ada.l+test@sub.example.co.uk', 'ADA@EXAMPLE.COM', 'ada@bücher.example'])('accepts %s', (email) =>
    expect(wrongFields(RegisterRequestDto, { ...registration, email })).toEqual([]),
  );

  it.each([
    [7, ['password']],
    [8, []],
    [128, []],
    [129, ['password']],
  ])('judges a password of %d characters', (length, wrong) =>
    expect(wrongFields(RegisterRequestDto, { ...registration, password: 'p'.repeat(length) })).toEqual(wrong),
  );

  it.each(['', ' \t ', 'a\u0000b', 'a\nb', 'n'.repeat(101), { first: 'Ada' }])(
    'refuses the name %j',
    (name) => expect(wrongFields(RegisterRequestDto, { ...registration, name })).toEqual(['name']),
  );
});

describe(LoginRequestDto.name, () => {
  it('leaves it to the comparison whether a password is long enough', () => {
    expect(wrongFields(LoginRequestDto, { email: 'ada@example.com', password: 'short' })).toEqual([]);
    expect(wrongFields(LoginRequestDto, { email: 'ada@example.com', password: 'x'.repeat(129) })).toEqual([
      'password',
    ]);
  });
});

describe(CreateKeyRequestDto.name, () => {
  it.each(['tomorrow', '2030-01-01', '2030-01-01T00:00:00', 17, '2030-13-01T00:00:00Z'])(
    'refuses the expiry %j',
    (expiresAt) => expect(wrongFields(CreateKeyRequestDto, { name: 'k', expiresAt })).toEqual(['expiresAt']),
  );

  it('accepts a moment with its offset, or none', () => {
    expect(wrongFields(CreateKeyRequestDto, { name: 'k', expiresAt: '2030-01-01T00:00:00+02:00' })).toEqual(
      [],
    );
    expect(wrongFields(CreateKeyRequestDto, { name: 'k' })).toEqual([]);
  });
});

describe('what may be left out', () => {
  const budget = { period: 'month', limitUsd: '1.00' };

  it.each<[new () => object, object, string]>([
    [RegisterRequestDto, registration, 'inviteToken'],
    [RegisterRequestDto, registration, 'setupToken'],
    [LogoutRequestDto, {}, 'refreshToken'],
    [RotateKeyRequestDto, {}, 'graceSeconds'],
    [CreateKeyRequestDto, { name: 'k' }, 'limits'],
    [CreateKeyRequestDto, { name: 'k' }, 'budget'],
    [KeyBudgetDto, budget, 'mode'],
    [KeyLimitsDto, {}, 'requestsPerMinute'],
  ])('%p %j without %s, but not with null', (type, body, field) => {
    expect(wrongFields(type, body)).toEqual([]);
    expect(wrongFields(type, { ...body, [field]: null })).toEqual([field]);
  });
});

describe(PageQueryDto.name, () => {
  it('reads the limit from text, 50 by default and 200 at most', () => {
    expect(plainToInstance(PageQueryDto, {}).limit).toBe(50);
    expect(plainToInstance(PageQueryDto, { limit: '7' }).limit).toBe(7);
    for (const limit of ['0', '201', '1.5', 'many']) {
      expect(wrongFields(PageQueryDto, { limit })).toEqual(['limit']);
    }
  });
});
