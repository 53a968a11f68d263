import type { TaskState } from '../../../src/projects/project';
import { type GraphTask, reusedTasks, revivedTasks } from '../../../src/projects/runs/fork-graph';

/** `a:succeeded b:failed<a` */
function graph(text: string): GraphTask[] {
  return text.split(' ').map((part) => {
    const [head = '', others] = part.split('<');
    const [id = '', state] = head.split(':');
    return { id, state: state as TaskState, dependsOn: others?.split(',') ?? [] };
  });
}

describe(reusedTasks.name, () => {
  it.each([
    ['all of a finished run', 'a:succeeded b:succeeded<a', undefined, 'a b'],
    ['what comes before a task', 'a:succeeded b:succeeded<a c:succeeded<b d:succeeded<a', 'b', 'a d'],
    ['nothing from the first task on', 'a:succeeded b:succeeded<a', 'a', ''],
    ['what succeeded', 'a:succeeded b:failed<a c:skipped<b d:succeeded', undefined, 'a d'],
    ['what succeeded beside the task', 'a:succeeded b:succeeded<a c:failed<a d:skipped<c', 'b', 'a'],
  ])('are %s', (_name, text, from, expected) => {
    expect([...reusedTasks(graph(text), from)].join(' ')).toBe(expected);
  });

  it('are found in a chain of 5,000 tasks', () => {
    const tasks = Array.from({ length: 5000 }, (_, index): GraphTask => ({
      id: String(index),
      state: 'succeeded',
      dependsOn: index === 0 ? [] : [String(index - 1)],
    }));
    expect(reusedTasks(tasks, '2500').size).toBe(2500);
  });
});

describe(revivedTasks.name, () => {
  it.each([
    ['what was skipped behind it', 'a:failed b:skipped<a c:skipped<b', 'a', 'b c'],
    ['not what another failure holds', 'a:failed x:failed b:skipped<a,x c:skipped<b d:skipped<a', 'a', 'd'],
    ['what waits for open tasks, too', 'a:failed r:running b:skipped<a,r', 'a', 'b'],
    ['not what was cancelled', 'a:failed b:cancelled<a c:cancelled<b', 'a', ''],
    ['through a diamond', 'a:failed b:skipped<a c:skipped<a d:skipped<b,c', 'a', 'b c d'],
  ])('are %s', (_name, text, id, expected) => {
    expect([...revivedTasks(graph(text), id)].toSorted().join(' ')).toBe(expected);
  });
});
