import { rankTypes } from '../../../src/analysis/type-ranking';

describe(rankTypes.name, () => {
  it('keeps at most three further types, those that are likely enough', () => {
    const ranking = rankTypes([
      { taskType: 'MATH', probability: 0.41256 },
      { taskType: 'REASONING', probability: 0.2 },
      { taskType: 'GENERAL', probability: 0.15 },
      { taskType: 'DATA_ANALYSIS', probability: 0.12 },
      { taskType: 'CODE_GENERATION', probability: 0.1 },
      { taskType: 'EXTRACTION', probability: 0.01744 },
      { taskType: 'TRANSLATION', probability: 0.0094 },
    ]);
    expect(ranking).toEqual({
      taskType: 'MATH',
      confidence: 0.413,
      secondary: [
        { taskType: 'REASONING', confidence: 0.2 },
        { taskType: 'GENERAL', confidence: 0.15 },
        { taskType: 'DATA_ANALYSIS', confidence: 0.12 },
      ],
      source: 'classifier',
      probabilities: [
        { taskType: 'MATH', confidence: 0.413 },
        { taskType: 'REASONING', confidence: 0.2 },
        { taskType: 'GENERAL', confidence: 0.15 },
        { taskType: 'DATA_ANALYSIS', confidence: 0.12 },
        { taskType: 'CODE_GENERATION', confidence: 0.1 },
        { taskType: 'EXTRACTION', confidence: 0.017 },
      ],
    });
    expect([Object.isFrozen(ranking), Object.isFrozen(ranking.secondary)]).toEqual([true, true]);
  });

  it('is GENERAL by default where there is nothing to go by', () => {
    expect(rankTypes([])).toMatchObject({ taskType: 'GENERAL', source: 'default', secondary: [] });
    expect(rankTypes([]).confidence).toBeLessThan(0.5);
  });
});
