import { newId } from '../../../src/common/index';
import { loadConfig } from '../../../src/config/index';
import { DegradedFloat } from '../../../src/ledger/degraded-float';

/** 100 pico-USD. */
const aFloat = (usd = '0.0000000001'): DegradedFloat =>
  new DegradedFloat(loadConfig({ LATTICE_ENV: 'test', DEGRADED_FLOAT_USD: usd }));
const amounts = (worst: bigint, minimum = worst) => ({
  worstPicoUsd: worst,
  minimumPicoUsd: minimum,
  estimatePicoUsd: worst,
  estimateTokens: 1,
});

describe(DegradedFloat.name, () => {
  it('takes the worst case and gives back what the call did not need', () => {
    const float = aFloat();
    const id = newId();
    expect(float.take(id, amounts(60n))).toBe(60n);
    expect([float.left, float.holds(id)]).toEqual([40n, true]);
    float.settle(id, 10n);
    expect([float.left, float.holds(id)]).toEqual([90n, false]);
    float.settle(id, 10n);
    expect(float.left).toBe(90n);
  });

  it('gives what is left when that pays the least of it, and nothing otherwise', () => {
    const float = aFloat();
    expect(float.take(newId(), amounts(80n))).toBe(80n);
    expect(float.take(newId(), amounts(50n, 20n))).toBe(20n);
    expect(float.take(newId(), amounts(1n))).toBeUndefined();
    expect(float.take(newId(), amounts(0n))).toBeUndefined();
    expect(float.left).toBe(0n);
  });

  it('keeps all of it when the cost is not known', () => {
    const float = aFloat();
    const id = newId();
    float.take(id, amounts(30n));
    float.settle(id, undefined);
    expect(float.left).toBe(70n);
  });

  it('is whole again after an outage, but for what is under way', () => {
    const float = aFloat();
    const [done, open] = [newId(), newId()];
    float.take(done, amounts(30n));
    float.settle(done, 30n);
    float.take(open, amounts(25n));
    float.restore();
    expect(float.left).toBe(75n);
  });

  it('gives nothing by default', () => {
    const float = aFloat('0');
    expect(float.isEnabled).toBe(false);
    expect(float.take(newId(), amounts(0n))).toBeUndefined();
  });
});
