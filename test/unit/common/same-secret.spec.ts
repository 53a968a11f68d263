import { isSameSecret } from '../../../src/common/index';

describe(isSameSecret.name, () => {
  it.each([
    ['abc', 'abc', true],
    ['abd', 'abc', false],
    ['ab', 'abc', false],
    ['', 'abc', false],
    ['ä', 'a', false],
  ])('of %j and %j is %p', (offered, expected, isSame) => {
    expect(isSameSecret(offered, expected)).toBe(isSame);
  });
});
