import path from 'node:path';
import { ConfigurationError } from '../../../src/errors/index';
import { Guide } from '../../../src/selection/guide';
import { aModel } from '../../support/factories';

describe(Guide.name, () => {
  const shipped = Guide.load([path.join(__dirname, '../../../config')]);

  it('never lets sandbox/flaky be chosen', () => {
    const flaky = aModel({ id: 'sandbox/flaky' });
    expect(shipped.advice('GENERAL').isBlocked(flaky)).toBe(true);
    expect(shipped.advice('MATH').isBlocked(flaky)).toBe(true);
  });

  it('takes ids and base models', () => {
    const { isBlocked, advice } = {
      advice: Guide.parse(
        'guide.yaml',
        'prior: 0.1\nall: { blocked: [azure/one], recommended: [two] }',
      ).advice('MATH'),
      isBlocked: (id: string, baseModel: string) =>
        Guide.parse('guide.yaml', 'prior: 0.1\nall: { blocked: [azure/one] }')
          .advice('MATH')
          .isBlocked(aModel({ id, baseModel })),
    };
    expect(isBlocked('azure/one', 'one')).toBe(true);
    expect(isBlocked('openai/one', 'one')).toBe(false);
    expect(advice.priorOf(aModel({ id: 'dial/two', baseModel: 'two' }))).toBe(0.1);
  });

  it('finds names that the catalog does not know', () => {
    const guide = Guide.parse(
      'guide.yaml',
      'prior: 0\nall: { blocked: [openai/known] }\ntaskTypes: { MATH: { fallback: [known, gone] } }',
    );
    expect(guide.unknownNames([aModel({ id: 'openai/known', baseModel: 'known' })])).toEqual(['gone']);
  });

  it.each([
    ['an unknown task type', 'prior: 0\ntaskTypes: { POETRY: {} }', /taskTypes.*POETRY/],
    ['no prior', 'all: {}', /prior/],
    ['a prior that outweighs the scores', 'prior: 3', /prior/],
    ['an unknown key', 'prior: 0\nall: { blocks: [] }', /all.*blocks/],
    ['a key that is there twice', 'prior: 0\nprior: 1', /unique/],
  ])('refuses %s, naming file, place and reason', (_, text, message) => {
    expect(() => Guide.parse('guide.yaml', text)).toThrow(ConfigurationError);
    expect(() => Guide.parse('guide.yaml', text)).toThrow(/^guide\.yaml: /);
    expect(() => Guide.parse('guide.yaml', text)).toThrow(message);
  });
});
