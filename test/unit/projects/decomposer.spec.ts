import { decompose } from '../../../src/projects/plans/decomposer';
import type { DraftTask, TaskGraph } from '../../../src/projects/plans/plan';
import { PlanCycleError } from '../../../src/projects/projects.errors';

const aTask = (title: string, dependsOn: readonly unknown[] = []): DraftTask => ({
  title,
  description: '',
  agent: 'writer',
  deliverables: [],
  successCriteria: [],
  dependsOn,
  priority: 50,
  maxTokens: 100,
});

const dependenciesOf = ({ tasks }: TaskGraph): readonly (readonly number[])[] =>
  tasks.map(({ dependsOn }) => dependsOn);

/** The same numbers in every run: mulberry32. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

describe(decompose.name, () => {
  it.each([
    ['an index', 0, [0]],
    ['an index as text', '1', [1]],
    ['an index as text with blanks', ' 1 ', [1]],
    ['a title', 'Design', [0]],
    ['a title in another case, with blanks', '  dESIGN ', [0]],
    ['a title that is a number before the index', '7', [2]],
  ])('understands %s', (_, written, expected) => {
    const graph = decompose([aTask('Design'), aTask('Build'), aTask('7'), aTask('Test', [written])]);
    expect(dependenciesOf(graph)[3]).toEqual(expected);
    expect(graph.warnings).toEqual([]);
  });

  it.each([
    ['a title twice', ['Design', 'design'], 'DUPLICATE_DEPENDENCY', 'design', [0]],
    ['an index and its title', [0, 'Design'], 'DUPLICATE_DEPENDENCY', 'Design', [0]],
    ['an unknown title', ['Desing'], 'UNKNOWN_DEPENDENCY', 'Desing', []],
    ['an index that is too large', [4], 'UNKNOWN_DEPENDENCY', '4', []],
    ['an index that is too large as text', ['44'], 'UNKNOWN_DEPENDENCY', '44', []],
    ['itself by index', [3], 'SELF_DEPENDENCY', '3', []],
    ['itself by title', ['test'], 'SELF_DEPENDENCY', 'test', []],
    ['a title of two tasks', ['Build'], 'AMBIGUOUS_DEPENDENCY', 'Build', []],
    ['a negative number', [-1], 'INVALID_DEPENDENCY', '-1', []],
    ['a fraction', [0.5], 'INVALID_DEPENDENCY', '0.5', []],
    ['nothing', [null], 'INVALID_DEPENDENCY', 'null', []],
    ['an empty text', [' '], 'INVALID_DEPENDENCY', ' ', []],
    ['an object', [{ task: 0 }], 'INVALID_DEPENDENCY', '{"task":0}', []],
    ['not a number', [Number.NaN], 'INVALID_DEPENDENCY', 'null', []],
    ['undefined', [undefined], 'INVALID_DEPENDENCY', 'undefined', []],
  ] as const)('leaves out %s with a warning', (_, dependsOn, code, value, left) => {
    const graph = decompose([aTask('Design'), aTask('Build'), aTask('Build'), aTask('Test', dependsOn)]);
    expect(dependenciesOf(graph)[3]).toEqual(left);
    expect(graph.warnings).toEqual([
      { code, task: 'Test', value, message: expect.stringContaining('“Test”') },
    ]);
  });

  it('keeps a thousand warnings and counts the rest', () => {
    const tasks = Array.from({ length: 50 }, (_, at) => aTask(`T${at}`, Array<number>(1000).fill(at)));
    const { warnings } = decompose(tasks);
    expect(warnings).toHaveLength(1001);
    expect(warnings[999]).toMatchObject({ code: 'SELF_DEPENDENCY', task: 'T0' });
    const message = '49000 more dependencies are left out';
    expect(warnings[1000]).toEqual({ code: 'MORE_WARNINGS', task: '', value: '49000', message });
  });

  it('refuses more dependencies than a plan may have in all its tasks', () => {
    const full = Array.from({ length: 50 }, (_, at) => aTask(`T${at}`, Array<number>(1000).fill(at)));
    expect(() => decompose([...full, aTask('T50')])).not.toThrow();
    expect(() => decompose([...full, aTask('T50', [0])])).toThrow(
      expect.objectContaining({
        code: 'VALIDATION_FAILED',
        status: 400,
        param: 'tasks',
        details: { limit: 50_000 },
        message: expect.stringContaining('50000 dependencies together, not 50001'),
      }),
    );
  });

  it('keeps what it was given beside the dependencies, and can be repeated', () => {
    const first = decompose([aTask('Design'), aTask('Build', ['Design', 'nobody'])]);
    const again = decompose(first.tasks);
    expect(again.tasks).toEqual(first.tasks);
    expect(again.warnings).toEqual([]);
    expect(first.tasks[1]).toMatchObject({ title: 'Build', agent: 'writer', maxTokens: 100 });
  });

  it('names the path of a cycle', () => {
    const tasks = [
      aTask('Start'),
      aTask('A', ['C', 'Start']),
      aTask('B', ['A']),
      aTask('C', [2]),
      aTask('End', [3]),
    ];
    expect(() => decompose(tasks)).toThrow(
      expect.objectContaining({ code: 'PLAN_CYCLE', status: 400, path: ['A', 'C', 'B', 'A'] }),
    );
  });

  it('takes a chain of 5,000 tasks, and finds the circle that closes it', () => {
    const chain = Array.from({ length: 5000 }, (__, at) =>
      aTask(`Task ${at}`, at > 0 ? [`Task ${at - 1}`] : []),
    );
    expect(decompose(chain).tasks[4999]?.dependsOn).toEqual([4998]);
    const circle = [aTask('Task 0', [4999]), ...chain.slice(1)];
    let found: readonly string[] = [];
    try {
      decompose(circle);
    } catch (error) {
      found = (error as PlanCycleError).path;
    }
    expect(found).toHaveLength(5001);
    expect(found[0]).toBe(found[5000]);
  });

  it('rejects random plans with a real cycle, or gives an order that respects every dependency', () => {
    const seen = { cyclic: 0, ordered: 0 };
    for (let seed = 1; seed <= 400; seed += 1) {
      const random = randomFrom(seed);
      const count = 2 + random(30);
      const edges = random(count * 2);
      const wanted: number[][] = Array.from({ length: count }, () => []);
      for (let edge = 0; edge < edges; edge += 1) wanted[random(count)]?.push(random(count));
      const tasks = wanted.map((dependsOn, at) => {
        return aTask(
          `T${at}`,
          dependsOn.map((other) => (random(2) === 0 ? other : `t${other}`)),
        );
      });
      try {
        const graph = decompose(tasks);
        expectOrdered(graph, wanted);
        seen.ordered += 1;
      } catch (error) {
        if (!(error instanceof PlanCycleError)) throw error;
        expectCycle(error.path, wanted);
        seen.cyclic += 1;
      }
    }
    expect(seen.cyclic).toBeGreaterThan(50);
    expect(seen.ordered).toBeGreaterThan(50);
  });
});

/** Every dependency but those on itself is kept, and running what is free again and again runs all. */
function expectOrdered(graph: TaskGraph, wanted: readonly (readonly number[])[]): void {
  const kept = dependenciesOf(graph);
  const expected = wanted.map((all, at) => [...new Set(all)].filter((other) => other !== at));
  expect(kept).toEqual(expected);
  const done = new Set<number>();
  for (let round = 0; round < kept.length; round += 1) {
    for (const [at, all] of kept.entries()) if (all.every((other) => done.has(other))) done.add(at);
  }
  expect(done.size).toBe(kept.length);
}

/** Each waits for the next, and the last is the first. */
function expectCycle(path: readonly string[], wanted: readonly (readonly number[])[]): void {
  const at = path.map((title) => Number(title.slice(1)));
  expect(at.length).toBeGreaterThan(2);
  expect(at[0]).toBe(at.at(-1));
  for (const [index, next] of at.slice(1).entries()) expect(wanted[at[index] ?? -1]).toContain(next);
}
