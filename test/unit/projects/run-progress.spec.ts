import { progressOf } from '../../../src/projects/runs/run-progress';

describe(progressOf.name, () => {
  it.each([
    ['nothing done', { tasksTotal: 4, tasksDone: 0, tasksReused: 0 }, 0, null],
    ['a quarter done', { tasksTotal: 4, tasksDone: 1, tasksReused: 0 }, 25, 30_000],
    ['rounded down', { tasksTotal: 3, tasksDone: 2, tasksReused: 0 }, 66, 5000],
    ['only reused results', { tasksTotal: 4, tasksDone: 2, tasksReused: 2 }, 50, null],
    ['reused results took no time', { tasksTotal: 4, tasksDone: 3, tasksReused: 2 }, 75, 10_000],
    ['all done', { tasksTotal: 4, tasksDone: 4, tasksReused: 0 }, 100, 0],
    ['no tasks', { tasksTotal: 0, tasksDone: 0, tasksReused: 0 }, 100, 0],
  ])('%s', (_name, counts, percentDone, estimatedRemainingMs) => {
    expect(progressOf({ ...counts, elapsedMs: 10_000 })).toEqual({ percentDone, estimatedRemainingMs });
  });
});
