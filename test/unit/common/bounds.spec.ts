import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { CreateKeyRequestDto } from '../../../src/auth/dto/create-key.request.dto';
import { CreateBudgetRequestDto, UpdateBudgetRequestDto } from '../../../src/budget/dto/budget.request.dto';
import { CreateLimitRequestDto, UpdateLimitRequestDto } from '../../../src/budget/dto/limit.request.dto';
import { IsBudgetAmount, LimitField } from '../../../src/common/index';

/** Names of the fields that are wrong, at any depth. */
function wrongFields(type: new () => object, body: object): string[] {
  const wrong = (errors: ReturnType<typeof validateSync>): string[] =>
    errors.flatMap(({ property, children = [] }) => (children.length > 0 ? wrong(children) : [property]));
  return wrong(validateSync(plainToInstance(type, body)));
}

/** Wherever limits and budgets are set, the rules are the same. */
const AMOUNTS = [
  ['a budget', (limitUsd: unknown) => wrongFields(CreateBudgetRequestDto, { ...BUDGET, limitUsd })],
  ['a change of it', (limitUsd: unknown) => wrongFields(UpdateBudgetRequestDto, { limitUsd })],
  ['a new key', (limitUsd: unknown) => wrongFields(CreateKeyRequestDto, keyWith({ budget: { limitUsd } }))],
] as const;
const VALUES = [
  [
    'limits',
    (value: unknown) => wrongFields(CreateLimitRequestDto, { scope: 'global', tokensPerHour: value }),
  ],
  ['a change of them', (value: unknown) => wrongFields(UpdateLimitRequestDto, { tokensPerHour: value })],
  [
    'a new key',
    (value: unknown) => wrongFields(CreateKeyRequestDto, keyWith({ limits: { tokensPerHour: value } })),
  ],
] as const;

const BUDGET = { scope: 'global', period: 'day', mode: 'hard' };

function keyWith({ limits, budget }: { limits?: object; budget?: object }): object {
  return { name: 'k', ...(limits && { limits }), ...(budget && { budget: { period: 'day', ...budget } }) };
}

describe.each(AMOUNTS)(`${IsBudgetAmount.name} of %s`, (_, wrong) => {
  it('takes plain decimals to the last pico-USD, from nothing to a million million', () => {
    for (const amount of ['0', '25.50', '0.000000000001', '1000000000000', '1000000000000.000000000000'])
      expect(wrong(amount)).toEqual([]);
  });

  it.each([
    '-1',
    '1e3',
    '1.0000000000001',
    '',
    ' 1',
    '1,5',
    '.5',
    'NaN',
    5,
    '1000000000000.000000000001',
    '9999999999999',
    '10000000000000',
  ])('refuses %j and names the field', (amount) => expect(wrong(amount)).toEqual(['limitUsd']));
});

describe.each(VALUES)(`${LimitField.name} of %s`, (_, wrong) => {
  it('takes nothing, which stops everything, and up to a million million', () => {
    for (const value of [0, 1, 2_000_000_000, 1_000_000_000_000]) expect(wrong(value)).toEqual([]);
  });

  it.each([-1, 1.5, '5', 1_000_000_000_001, Infinity])('refuses %j and names the field', (value) =>
    expect(wrong(value)).toEqual(['tokensPerHour']),
  );
});
