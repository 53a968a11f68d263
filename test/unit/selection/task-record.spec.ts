import type { TaskProfile } from '../../../src/analysis/index';
import { newId } from '../../../src/common/index';
import { decisionRecord } from '../../../src/selection/index';
import { replayable, storedProfile } from '../../../src/selection/decisions/stored-decision';
import { aModel, aPlan, aPlanned, aProfile, aRequest } from '../../support/factories';
import { Random } from '../../support/proof/random';
import { randomRequest } from '../../support/proof/random-routing';
import { aRouter } from './support';

/** Through the record and JSON. */
function readAgain(profile: TaskProfile): TaskProfile {
  const plan = aPlan([aPlanned()], {
    profile,
    providers: ['openai'],
    versions: {
      ...aPlan([]).versions,
      patterns: profile.patternsVersion,
      classifier: profile.classifierVersion,
    },
  });
  return storedProfile(replayable(JSON.parse(JSON.stringify(decisionRecord(plan, aRequest())))));
}

describe(storedProfile.name, () => {
  it('is the profile that was stored, whatever the request; of the patterns, the first ones', () => {
    const everything = aModel({ input: ['text', 'image', 'document', 'audio', 'video'] });
    const router = aRouter({ models: [everything] });
    const random = new Random(7);
    const seen = new Set<string>();
    for (let count = 0; count < 300; count += 1) {
      const { request } = randomRequest(random, [everything.id]);
      const body = { ...request.body, model: everything.id };
      const { profile } = router.plan({ ...request, body });
      const { patterns, ...rest } = profile;
      expect(readAgain(profile)).toEqual({ ...rest, semantic: undefined, patterns: patterns.slice(0, 6) });
      for (const [need, isNeeded] of Object.entries(profile.needs)) if (isNeeded) seen.add(need);
      if (profile.secondary.length > 0) seen.add('secondary');
      if (profile.features.estimatedFileTokens > 0) seen.add('fileTokens');
    }
    expect([...seen].toSorted()).toEqual(
      [...Object.keys(aProfile().needs), 'fileTokens', 'secondary'].toSorted(),
    );
  });

  it('keeps what a model said that was asked besides', () => {
    const semantic = { model: 'openai/small', taskType: 'MATH', requestId: newId() } as const;
    const profile: TaskProfile = {
      ...aProfile({ hasCode: true, hasFiles: true, requestedMaxTokens: 7, imageCount: 2, toolCount: 3 }),
      taskType: 'MATH',
      source: 'semantic',
      secondary: [{ taskType: 'GENERAL', confidence: 0.2 }],
      probabilities: [
        { taskType: 'GENERAL', confidence: 0.4 },
        { taskType: 'MATH', confidence: 0.01 },
      ],
      sketch: [3, 77, 4095],
      semantic,
    };
    expect(readAgain(profile)).toEqual(profile);
  });
});
