import type { Agent, AgentMode } from '../../../src/agents/index';
import { roundRequest } from '../../../src/projects/runs/round-request';
import { anAgent, aTask } from '../agents/support';

describe(roundRequest.name, () => {
  it.each<[AgentMode, unknown]>([
    ['direct', 'only'],
    ['script', false],
    ['hybrid', undefined],
  ])('has a %s agent called the way it says', (mode, useDirect) => {
    const agent: Agent = { ...anAgent({ mode }), id: null, isAvailable: true };
    const { options } = roundRequest({ agent, task: aTask() }, [{ role: 'user', content: 'Do it' }], []);
    expect(options.useDirect).toBe(useDirect);
  });
});
