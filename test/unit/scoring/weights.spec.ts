import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Logger } from '@nestjs/common';
import type { AppConfig } from '../../../src/config/index';
import { Weights } from '../../../src/scoring/index';
import { aModel, aProfile } from '../../support/factories';
import { aScoring, SHIPPED_WEIGHTS } from '../../support/scoring';
import { eventually } from '../../support/eventually';

const EQUAL = { capability: 0.25, context: 0.25, speed: 0.25, cost: 0.25 };

describe(Weights.name, () => {
  let dir: string;
  let weights: Weights;
  let errors: jest.SpyInstance;

  const write = (content: unknown) =>
    writeFileSync(path.join(dir, 'routing/weights.yaml'), JSON.stringify(content));
  const withAuto = (auto: typeof EQUAL) => ({
    ...SHIPPED_WEIGHTS.content,
    strategies: { ...SHIPPED_WEIGHTS.content.strategies, auto },
  });

  beforeEach(async () => {
    errors = jest.spyOn(Logger.prototype, 'error').mockImplementation();
    jest.spyOn(Logger.prototype, 'log').mockImplementation();
    dir = mkdtempSync(path.join(tmpdir(), 'lattice-weights-'));
    mkdirSync(path.join(dir, 'routing'));
    write(SHIPPED_WEIGHTS.content);
    weights = new Weights({ configDirs: [dir], vars: { ROUTING_RELOAD_MS: 5 } } as unknown as AppConfig);
    await weights.onApplicationBootstrap();
  });

  afterEach(async () => {
    await weights.onApplicationShutdown();
    rmSync(dir, { recursive: true });
    jest.restoreAllMocks();
  });

  const changedFrom = (version: string) =>
    eventually(() => Promise.resolve(weights.current.version === version ? undefined : weights.current));

  it('follows the file: the next request is scored by the new weights, under another version', async () => {
    const { scoring } = aScoring();
    Object.assign(scoring, { weights });
    const { version } = scoring;
    const before = scoring.basis('nobody', 'auto');
    write(withAuto(EQUAL));
    await changedFrom(version);
    expect(scoring.version).not.toBe(version);
    expect(before.weights).toEqual(SHIPPED_WEIGHTS.content.strategies.auto);
    expect(scoring.basis('nobody', 'auto').weights).toEqual(EQUAL);
    const [scored] = scoring.score(
      [{ model: aModel(), prior: 0 }],
      aProfile(),
      scoring.basis('nobody', 'auto'),
    );
    const { capability = 0, context = 0, speed = 0, cost = 0 } = scored?.factors ?? {};
    expect(scored?.score).toBeCloseTo((capability + context + speed + cost) / 4, 12);
  });

  it('keeps what it had when the file breaks, says why once, and takes it when it is mended', async () => {
    const { version } = weights.current;
    write(withAuto({ ...EQUAL, cost: 0.3 }));
    await eventually(() => Promise.resolve(errors.mock.calls.length > 0 || undefined));
    expect(weights.current.version).toBe(version);
    write(withAuto(EQUAL));
    const mended = await changedFrom(version);
    expect(mended.content.strategies.auto).toEqual(EQUAL);
    expect(errors.mock.calls).toHaveLength(1);
    expect(errors.mock.calls[0]?.[0]).toMatch(/weights\.yaml.*strategies\.auto: the weights must sum to 1/);
  });
});
