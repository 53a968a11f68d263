import type { JsonObject } from '../../../../src/common/index';
import { decidedProfile } from '../../../../src/scoring/outcomes/decided-profile';
import { decisionRecord } from '../../../../src/selection/index';
import { aPlan, aPlanned, aProfile, aRequest } from '../../../support/factories';

const profile = {
  ...aProfile({ complexity: 0.4, language: 'zh', estimatedPromptTokens: 90, hasCode: true }),
  taskType: 'MATH' as const,
  confidence: 0.6,
  secondary: [{ taskType: 'REASONING' as const, confidence: 0.3 }],
};
const record = decisionRecord(aPlan([aPlanned()], { profile }), aRequest());

describe(decidedProfile.name, () => {
  it('reads from a stored decision what routing knew of the task', () => {
    expect(decidedProfile(JSON.parse(JSON.stringify(record)) as JsonObject)).toEqual({
      types: [
        { taskType: 'MATH', confidence: 0.6 },
        { taskType: 'REASONING', confidence: 0.3 },
      ],
      complexity: 0.4,
      language: 'zh',
      promptTokens: 90,
      hasCode: true,
    });
  });

  it('reads what is kept of the words, if it is what a table understands', () => {
    const withSketch = (sketch: unknown) =>
      decidedProfile({ ...record, task: { ...(record.task as JsonObject), sketch } } as JsonObject)?.sketch;
    expect(withSketch([3, 4095])).toEqual([3, 4095]);
    for (const wrong of [undefined, 'x', [1.5], [-1], [4096], ['1']])
      expect(withSketch(wrong)).toBeUndefined();
  });

  it('has nothing to say of a decision that is gone or was written in another way', () => {
    for (const other of [
      undefined,
      {},
      { task: 'MATH', features: {} },
      { task: { type: 'EMBEDDING' }, features: { inputs: 1 } },
      { ...record, features: { language: 'en' } },
    ]) {
      expect(decidedProfile(other)).toBeUndefined();
    }
  });
});
