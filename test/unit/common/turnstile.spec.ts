import { Turnstile } from '../../../src/common/index';

const { signal } = new AbortController();

function pending(): { readonly work: () => Promise<string>; readonly finish: () => void; started: boolean } {
  const { promise, resolve } = Promise.withResolvers<string>();
  const piece = {
    started: false,
    work: () => {
      piece.started = true;
      return promise;
    },
    finish: () => resolve('done'),
  };
  return piece;
}

describe(Turnstile.name, () => {
  it('lets so many through at once, and the others in the order they came', async () => {
    const turnstile = new Turnstile(2, 10);
    const pieces = [pending(), pending(), pending(), pending()];
    const [first, second, third, fourth] = pieces.map(({ work }) => turnstile.run(work, signal));
    expect(pieces.map(({ started }) => started)).toEqual([true, true, false, false]);
    pieces[1]?.finish();
    expect(await second).toBe('done');
    expect(pieces.map(({ started }) => started)).toEqual([true, true, true, false]);
    for (const { finish } of pieces) finish();
    expect(await Promise.all([first, third, fourth])).toEqual(['done', 'done', 'done']);
  });

  it('makes room for the next when the work fails', async () => {
    const turnstile = new Turnstile(1, 10);
    await expect(turnstile.run(() => Promise.reject(new Error('broken')), signal)).rejects.toThrow('broken');
    expect(await turnstile.run(() => Promise.resolve('next'), signal)).toBe('next');
  });

  it('has a line of a certain length', async () => {
    const turnstile = new Turnstile(1, 1);
    const [one, two, three] = [pending(), pending(), pending()];
    const [first, second] = [turnstile.run(one.work, signal), turnstile.run(two.work, signal)];
    expect(await turnstile.run(three.work, signal)).toBeUndefined();
    one.finish();
    two.finish();
    expect(await Promise.all([first, second])).toEqual(['done', 'done']);
    expect(three.started).toBe(false);
  });

  it('lets go who leaves the line, and forgets their place', async () => {
    const turnstile = new Turnstile(1, 2);
    const [one, two, three] = [pending(), pending(), pending()];
    const leaving = new AbortController();
    const first = turnstile.run(one.work, signal);
    const second = turnstile.run(two.work, leaving.signal);
    const third = turnstile.run(three.work, signal);
    leaving.abort();
    expect(await second).toBeUndefined();
    one.finish();
    await first;
    three.finish();
    expect(await third).toBe('done');
    expect(two.started).toBe(false);
    expect(await turnstile.run(() => Promise.resolve('x'), leaving.signal)).toBeUndefined();
  });
});
