import { type ArgumentMetadata } from '@nestjs/common';
import { AgentTaskDto } from '../../../src/agents/index';
import { validationPipe } from '../../../src/validation';

const BODY: ArgumentMetadata = { type: 'body', metatype: AgentTaskDto };

describe(AgentTaskDto.name, () => {
  const read = async (body: object) =>
    AgentTaskDto.task((await validationPipe().transform(body, BODY)) as AgentTaskDto);
  const least = { title: 'Translate', agent: 'translator' };

  it('has a default for everything but title and agent', async () => {
    expect(await read(least)).toEqual({
      title: 'Translate',
      description: '',
      deliverables: [],
      successCriteria: [],
      agent: 'translator',
      model: undefined,
      metadata: {},
      maxTokens: 4096,
      priority: 50,
    });
  });

  it('keeps everything that was sent, metadata as it is', async () => {
    const whole = {
      ...least,
      description: 'x'.repeat(10_000),
      deliverables: ['a'],
      successCriteria: ['b'],
      model: 'auto:best',
      metadata: { a: { b: [1, null, { c: true }] }, at: '2026-01-01' },
      maxTokens: 32_768,
      priority: 0,
    };
    expect(await read(whole)).toEqual(whole);
  });

  it.each([
    [{ title: '' }, 'title'],
    [{ title: '  ' }, 'title'],
    [{ title: 'x'.repeat(501) }, 'title'],
    [{ title: undefined }, 'title'],
    [{ agent: undefined }, 'agent'],
    [{ agent: 'No Such' }, 'agent'],
    [{ description: 'x'.repeat(10_001) }, 'description'],
    [{ description: null }, 'description'],
    [{ deliverables: 'a' }, 'deliverables'],
    [{ deliverables: [''] }, 'deliverables'],
    [{ successCriteria: [1] }, 'successCriteria'],
    [{ successCriteria: Array.from({ length: 51 }, () => 'a') }, 'successCriteria'],
    [{ model: '' }, 'model'],
    [{ metadata: [] }, 'metadata'],
    [{ metadata: { a: 'x'.repeat(10_000) } }, 'metadata'],
    [{ maxTokens: 0 }, 'maxTokens'],
    [{ maxTokens: 32_769 }, 'maxTokens'],
    [{ maxTokens: 1.5 }, 'maxTokens'],
    [{ maxTokens: '5' }, 'maxTokens'],
    [{ priority: -1 }, 'priority'],
    [{ priority: 101 }, 'priority'],
    [{ state: 'succeeded' }, 'state'],
  ])('refuses %j', async (more, param) => {
    await expect(read({ ...least, ...more })).rejects.toMatchObject({ code: 'VALIDATION_FAILED', param });
  });
});
