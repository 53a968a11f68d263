import { readAnswer } from '../../../src/projects/plans/plan-reading';

const KNOWN = ['coder', 'writer'];
const RULES = { maxTasks: 3, known: KNOWN };

const answer = (value: unknown, finishReason = 'stop') => ({
  text: typeof value === 'string' ? value : JSON.stringify(value),
  model: 'sandbox/large',
  finishReason,
});
const aTask = (more: object = {}) => ({ title: 'Write', description: 'A text', agent: 'writer', ...more });

function problemsOf(value: unknown, finishReason?: string): readonly string[] {
  const read = readAnswer(answer(value, finishReason), RULES);
  if (!('problems' in read)) throw new Error('The answer was taken');
  return read.problems;
}

describe(readAnswer.name, () => {
  it('fills in what may be left out', () => {
    const read = readAnswer(answer({ tasks: [aTask({ agent: ' Writer ' })] }), RULES);
    expect(read).toEqual({
      content: {
        summary: '',
        warnings: [],
        tasks: [
          {
            title: 'Write',
            description: 'A text',
            agent: 'writer',
            deliverables: [],
            successCriteria: [],
            dependsOn: [],
            priority: 50,
            maxTokens: 4096,
          },
        ],
      },
    });
  });

  it('takes one item for a list, and null for nothing', () => {
    const task = aTask({ deliverables: 'A page', successCriteria: null, dependsOn: null, priority: null });
    expect(readAnswer(answer({ summary: null, tasks: [task] }), RULES)).toMatchObject({
      content: { tasks: [{ deliverables: ['A page'], successCriteria: [], dependsOn: [], priority: 50 }] },
    });
  });

  it('takes numbers as text, and null for no model', () => {
    const task = aTask({ model: null, priority: '70', maxTokens: ' 100 ' });
    const read = readAnswer(answer({ tasks: [task] }), RULES);
    expect(read).toMatchObject({ content: { tasks: [{ priority: 70, maxTokens: 100 }] } });
    expect(read).not.toHaveProperty('content.tasks.0.model', null);
  });

  it('keeps warnings of dependencies that are left out', () => {
    const read = readAnswer(
      answer({ tasks: [aTask(), aTask({ title: 'Check', dependsOn: ['Wrote'] })] }),
      RULES,
    );
    expect(read).toMatchObject({
      content: { warnings: [{ code: 'UNKNOWN_DEPENDENCY', task: 'Check', value: 'Wrote' }] },
    });
  });

  it.each([
    ['no tasks', { tasks: [] }, 'tasks: '],
    ['too many tasks', { tasks: Array.from({ length: 4 }, () => aTask()) }, 'tasks: '],
    ['a task without a title', { tasks: [aTask({ title: ' ' })] }, 'tasks[0].title: '],
    ['a title that is too long', { tasks: [aTask({ title: 'x'.repeat(501) })] }, 'tasks[0].title: '],
    [
      'a description that is too long',
      { tasks: [aTask({ description: 'x'.repeat(10_001) })] },
      'tasks[0].description: ',
    ],
    ['a priority out of its range', { tasks: [aTask({ priority: 101 })] }, 'tasks[0].priority: '],
    ['too many tokens', { tasks: [aTask(), aTask({ maxTokens: 32_769 })] }, 'tasks[1].maxTokens: '],
    ['a text for a number', { tasks: [aTask({ priority: 'high' })] }, 'tasks[0].priority: '],
    [
      'more dependencies than a task may have',
      { tasks: [aTask({ dependsOn: Array(1001).fill(0) })] },
      'tasks[0].dependsOn: ',
    ],
    ['tasks that are texts', { tasks: ['Write'] }, 'tasks[0]: '],
  ])('names the place of %s', (_, value, place) => {
    expect(problemsOf(value)).toEqual([expect.stringContaining(place)]);
  });

  it('names agents that there are where one is unknown', () => {
    expect(problemsOf({ tasks: [aTask(), aTask({ agent: 'poet' })] })).toEqual([
      'tasks[1].agent: there is no agent “poet”; there are coder, writer',
    ]);
  });

  it('names the path of a cycle', () => {
    const tasks = [aTask({ title: 'A', dependsOn: [1] }), aTask({ title: 'B', dependsOn: [0] })];
    expect(problemsOf({ tasks })).toEqual([expect.stringContaining('“A” → “B” → “A”')]);
  });

  it('tells the model how many dependencies all tasks may have together', () => {
    const tasks = Array.from({ length: 51 }, (_, at) =>
      aTask({ title: `T${at}`, dependsOn: Array(1000).fill(0) }),
    );
    const read = readAnswer(answer({ tasks }), { maxTasks: 100, known: KNOWN });
    expect(read).toEqual({ problems: [expect.stringContaining('50000 dependencies together, not 51000')] });
  });

  it('says why there is no plan', () => {
    expect(problemsOf('')).toEqual(['The answer is empty']);
    expect(problemsOf('{"tasks": [{"title"', 'length')).toEqual([expect.stringContaining('cut off')]);
    expect(problemsOf('No.')).toEqual([expect.stringContaining('no whole JSON object')]);
  });
});
