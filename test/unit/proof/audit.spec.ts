import { audit, type AuditInput } from '../../support/proof/audit';
import type { BookedLine } from '../../support/proof/books';
import { CHEAP } from '../../support/proof/models';

const FREE: BookedLine = {
  requestId: 'req_2',
  attempt: 1,
  model: CHEAP.id,
  outcome: 'succeeded',
  usageSource: 'cached',
  prompt: 0,
  cachedRead: 0,
  completion: 0,
  costPico: 0n,
  priceVersion: 1,
  errorCode: null,
  disputes: null,
};
const PAID: BookedLine = {
  ...FREE,
  requestId: 'req_1',
  usageSource: 'provider',
  prompt: 4,
  completion: 2,
  costPico: 10n,
};
const ATTEMPT: AuditInput['attempts'][number] = {
  id: 'a1',
  at: 0,
  requestId: 'req_1',
  headers: {},
  model: CHEAP.upstreamId,
  isStream: false,
  bodySha256: '',
  body: {},
  promptTokens: 4,
  cachedTokens: 0,
  completionTokens: 2,
  sentBytes: 0,
  sentChunks: 0,
  outcome: 'completed',
};

const audited = (...lines: readonly BookedLine[]) =>
  audit({
    attempts: [ATTEMPT],
    lines,
    models: [CHEAP],
    priceVersions: new Map([[CHEAP.id, 1]]),
    mayStandAlone: () => false,
  });

describe(audit.name, () => {
  it('takes free lines of answers that were given again for what they are', () => {
    const shared = { ...FREE, requestId: 'req_3', usageSource: 'shared' };
    expect(audited(PAID, FREE, shared)).toMatchObject({ faults: [], exact: 1, reused: 2, alone: [] });
  });

  it.each<[string, readonly BookedLine[]]>([
    ['costs something', [PAID, { ...FREE, costPico: 1n }]],
    ['has tokens', [PAID, { ...FREE, completion: 1 }]],
    ['stands beside an attempt of its request', [PAID, { ...FREE, requestId: 'req_1', attempt: 2 }]],
    ['stands in the place of an attempt', [{ ...FREE, requestId: 'req_1' }]],
    ['is no answer given again', [PAID, { ...FREE, usageSource: 'upper_bound' }]],
  ])('finds fault with a free line that %s', (_case, lines) => {
    expect(audited(...lines).faults).not.toEqual([]);
  });
});
