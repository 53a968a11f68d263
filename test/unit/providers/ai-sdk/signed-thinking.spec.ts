import type { LanguageModelV4Prompt } from '@ai-sdk/provider';
import { KeptThoughts } from '../../../../src/providers/adapters/ai-sdk/kept-thoughts';
import { recallThinking, ThinkingWatch } from '../../../../src/providers/adapters/ai-sdk/signed-thinking';
import { catalogModel } from '../../../support/contract/catalog-model';

const call = { ownerId: 'ada', model: catalogModel({ provider: 'anthropic', upstreamId: 'claude' }) };
const namespace = 'anthropic' as const;
const toolCall = (id: string) => ({
  type: 'tool-call' as const,
  toolCallId: id,
  toolName: 'f',
  input: { id },
});
const round = (id: string): LanguageModelV4Prompt => [
  { role: 'assistant', content: [{ type: 'text', text: 'Let me see' }, toolCall(id)] },
  {
    role: 'tool',
    content: [{ type: 'tool-result', toolCallId: id, toolName: 'f', output: { type: 'text', value: 'x' } }],
  },
];
const asked: LanguageModelV4Prompt = [{ role: 'user', content: [{ type: 'text', text: 'And?' }] }];

async function think(thoughts: KeptThoughts, id: string, signature?: string): Promise<void> {
  const watch = new ThinkingWatch(namespace, call, thoughts);
  const providerMetadata = signature === undefined ? undefined : { anthropic: { signature } };
  watch.take({ type: 'reasoning', text: `about ${id}`, providerMetadata });
  watch.take({ ...toolCall(id), input: JSON.stringify({ id }) });
  await watch.end();
}

const signed = (id: string) => ({
  type: 'reasoning',
  text: `about ${id}`,
  providerOptions: { anthropic: { signature: `signed ${id}` } },
});

describe(recallThinking.name, () => {
  it('puts the thinking of every turn of the open round before its calls', async () => {
    const thoughts = new KeptThoughts();
    for (const id of ['a', 'b']) await think(thoughts, id, `signed ${id}`);
    const prompt = [...asked, ...round('a'), ...round('b')];
    const recalled = await recallThinking(prompt, { namespace, call, thoughts });
    expect(recalled.map(({ content }) => content)).toMatchObject([
      [{ type: 'text' }],
      [signed('a'), { type: 'text' }, toolCall('a')],
      [{ type: 'tool-result' }],
      [signed('b'), { type: 'text' }, toolCall('b')],
      [{ type: 'tool-result' }],
    ]);
  });

  it('puts nothing in when a part of it is not known, which the provider would refuse', async () => {
    const thoughts = new KeptThoughts();
    await think(thoughts, 'a', 'signed a');
    await think(thoughts, 'b');
    const prompt = [...asked, ...round('a'), ...round('b')];
    expect(await recallThinking(prompt, { namespace, call, thoughts })).toBe(prompt);
  });

  it('leaves rounds alone that are over', async () => {
    const thoughts = new KeptThoughts();
    await think(thoughts, 'a', 'signed a');
    const prompt = [...asked, ...round('a'), ...asked];
    expect(await recallThinking(prompt, { namespace, call, thoughts })).toBe(prompt);
  });
});
