import { inTime, OverTimeError } from '../../../src/agents/template-time';

describe(inTime.name, () => {
  it('gives what the work gives, or throws what it throws', () => {
    const result = { a: 1 };
    const error = new Error('no');
    expect(inTime(1000, () => result)).toBe(result);
    expect(() =>
      inTime(1000, () => {
        throw error;
      }),
    ).toThrow(error);
  });

  it('tries again what is late once, as a busy machine makes it', () => {
    let turns = 0;
    const late = () => {
      while (++turns === 1) for (;;);
      return turns;
    };
    expect(inTime(100, late)).toBe(2);
  });

  it('stops what is late every time', () => {
    let turns = 0;
    const endless = () => {
      turns++;
      for (;;);
    };
    expect(() => inTime(20, endless)).toThrow(new OverTimeError(20));
    expect(turns).toBe(3);
  });

  it('lets work without a limit take its time', () => {
    expect(inTime(Infinity, () => 'done')).toBe('done');
  });
});
