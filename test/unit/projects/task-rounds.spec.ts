import type { Agent, AgentTask } from '../../../src/agents/index';
import { DEFAULT_AGENT_LIMITS } from '../../../src/agents/index';
import type { ChatRequest, JsonObject, RequestContext } from '../../../src/common/index';
import type { AnswerToKeep, CompletionPipeline } from '../../../src/execution/index';
import { MemorySteps } from '../../../src/projects/runs/memory-steps';
import { type RoundsEnd, TaskRounds } from '../../../src/projects/runs/task-rounds.service';
import type { ToolRegistry, ToolRunner } from '../../../src/tools/index';
import { aContext } from '../../support/factories';

const agent: Agent = {
  id: null,
  type: 'worker',
  description: '',
  capabilities: [],
  model: 'auto',
  fallbackModels: [],
  prompt: '',
  tools: ['good', 'bad'],
  mode: 'hybrid',
  limits: { ...DEFAULT_AGENT_LIMITS, maxRounds: 3 },
  isAvailable: true,
};
const task: AgentTask = {
  title: 'Work',
  description: '',
  deliverables: [],
  successCriteria: [],
  agent: 'worker',
  metadata: {},
  maxTokens: 100,
  priority: 50,
};

type Said = {
  readonly text?: string;
  readonly calls?: readonly string[];
  readonly finish?: string;
  readonly low?: boolean;
};

function answerOf({ text = '', calls = [], finish = 'stop', low = false }: Said): AnswerToKeep {
  const message: JsonObject = {
    role: 'assistant',
    content: text,
    ...(calls.length > 0 && {
      tool_calls: calls.map((name, index) => ({
        id: `call_${index}`,
        type: 'function',
        function: { name, arguments: '{}' },
      })),
    }),
  };
  const body = { choices: [{ message, finish_reason: finish }] };
  return {
    body,
    model: 'openai/gpt-test',
    totals: { attempts: 1, usage: {}, costPicoUsd: 5n },
    isLoweredByBudget: low,
  };
}

/** Rounds whose model says these things, one after the other. */
async function conversation(said: readonly Said[]): Promise<{
  end: RoundsEnd;
  steps: MemorySteps;
  requests: readonly ChatRequest[];
}> {
  const requests: ChatRequest[] = [];
  const pipeline = {
    run: async (
      _ctx: RequestContext,
      request: ChatRequest,
      _sink: undefined,
      keep: (answer: AnswerToKeep) => Promise<void>,
    ) => {
      requests.push(request);
      await keep(answerOf(said[requests.length - 1] ?? {}));
    },
  } as unknown as CompletionPipeline;
  const registry = {
    ready: () => Promise.resolve(),
    find: (name: string) => ({ name, description: name, parameters: {} }),
  } as unknown as ToolRegistry;
  const runner = {
    run: (_ctx: RequestContext, { name }: { name: string }) =>
      Promise.resolve({ ok: name === 'good', content: name }),
  } as unknown as ToolRunner;
  const steps = new MemorySteps(aContext(), agent, task, [{ role: 'user', content: 'Work' }]);
  return { end: await new TaskRounds(pipeline, registry, runner).run(steps), steps, requests };
}

describe(TaskRounds.name, () => {
  const failed = (exitReason: string): object => ({ next: 'failed', failure: { exitReason } });

  it.each<[string, readonly Said[], object]>([
    ['an answer', [{ text: 'Done' }], { next: 'done', exitReason: 'completed' }],
    [
      'an answer cut at its limit',
      [{ text: 'Do', finish: 'length' }],
      { next: 'done', exitReason: 'max_tokens' },
    ],
    ['an answer cut by the budget', [{ text: 'Do', finish: 'length', low: true }], failed('budget')],
    [
      'tools, then an answer',
      [{ calls: ['good'] }, { text: 'Done' }],
      { next: 'done', exitReason: 'completed' },
    ],
    ['too many rounds of tools', Array(9).fill({ calls: ['good'] }), failed('max_rounds')],
    ['the same tool failing twice', Array(9).fill({ calls: ['bad'] }), failed('tool_failed')],
    ['a tool that is not the agent’s, twice', Array(9).fill({ calls: ['other'] }), failed('tool_failed')],
    [
      'a tool failing in two rounds, not in a row',
      [{ calls: ['bad'] }, { calls: ['good'] }, { calls: ['bad'] }, { text: 'Done' }],
      { next: 'done' },
    ],
    ['a tool failing once', [{ calls: ['bad'] }, { text: 'Done' }], { next: 'done' }],
    ['nothing', [{}], failed('retries')],
  ])('ends with %s', async (_name, said, expected) => {
    expect((await conversation(said)).end).toMatchObject(expected);
  });

  it('shows the model its calls and their results, in their order', async () => {
    const { requests } = await conversation([{ text: 'Hm', calls: ['good', 'bad'] }, { text: 'Done' }]);
    const messages = requests[1]?.body.messages ?? [];
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'tool']);
    expect(messages.slice(2)).toMatchObject([
      { tool_call_id: 'call_0', content: 'good' },
      { tool_call_id: 'call_1', content: 'bad' },
    ]);
  });

  it('keeps no empty answer', async () => {
    expect((await conversation([{}])).steps.answers).toEqual([]);
  });
});
