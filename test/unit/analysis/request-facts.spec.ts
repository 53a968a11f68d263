import { requestFacts } from '../../../src/analysis/request-facts';
import type { ChatBody, ContentPart } from '../../../src/common/index';
import { aRequest } from '../../support/factories';

const DATA_CHARS = 1_000_000;
const data = 'A'.repeat(DATA_CHARS);
const tool = { type: 'function', function: { name: 'look' } };
const call = { id: 'c', type: 'function' as const, function: { name: 'look', arguments: '{}' } };

const file = (type: string): ContentPart => ({
  type: 'file',
  file: { filename: 'f', file_data: `data:${type};base64,${data}` },
});
const audio: ContentPart = { type: 'input_audio', input_audio: { data, format: 'wav' } };
const pdf = file('application/pdf');

const factsOf = (part: ContentPart, body: Partial<ChatBody> = {}) =>
  requestFacts(
    aRequest({ ...body, messages: [...(body.messages ?? []), { role: 'user', content: [part] }] }),
  );
const needsOf = (part: ContentPart): string[] =>
  Object.entries(factsOf(part).needs).flatMap(([name, isNeeded]) => (isNeeded ? [name] : []));

describe(requestFacts.name, () => {
  it.each<[string, string, ContentPart]>([
    ['document', 'a PDF', pdf],
    ['document', 'a text file', file('text/plain')],
    ['document', 'a file without a type', { type: 'file', file: { file_data: data } }],
    ['document', 'a file that the provider keeps', { type: 'file', file: { file_id: 'file-1' } }],
    ['audio', 'sound', audio],
    ['audio', 'sound in a file', file('audio/mpeg')],
    ['audio', 'sound in a part of another type', { ...audio, type: 'file' }],
    ['video', 'a film', file('VIDEO/mp4')],
    ['vision', 'an image in a file', file('image/png')],
    ['vision', 'an image elsewhere', { type: 'image_url', image_url: { url: 'https://a/b.png' } }],
  ])('needs %s for %s, and nothing else', (need, _, part) => {
    expect(needsOf(part)).toEqual([need]);
  });

  it('needs nothing of the kind for text', () => {
    expect(needsOf({ type: 'text', text: 'data:application/pdf;base64,AAAA' })).toEqual([]);
  });

  it.each<[string, Partial<ChatBody>]>([
    ['alone', {}],
    ['beside a tool', { tools: [tool] }],
    ['beside a schema', { response_format: { type: 'json_schema', json_schema: { name: 'a' } } }],
    ['behind a tool call', { messages: [{ role: 'assistant', content: null, tool_calls: [call] }] }],
  ])('counts a PDF by its pages and not by its base64: %s', (_, body) => {
    const facts = factsOf(pdf, body);
    expect(facts.estimatedFileTokens).toBe(22_000);
    expect(facts.estimatedPromptTokens).toBeGreaterThanOrEqual(22_000);
    expect(facts.estimatedPromptTokens).toBeLessThan(22_200);
    expect(facts).toMatchObject({ hasFiles: true, imageCount: 0 });
    expect(facts.boundPromptTokens).toBeLessThan(2_000);
  });

  it.each([audio, file('video/mp4')])('guesses sound and film by their bytes', (part) => {
    const { estimatedFileTokens, boundPromptTokens, hasFiles } = factsOf(part, { tools: [tool] });
    expect(estimatedFileTokens).toBeGreaterThan(1_600);
    expect(estimatedFileTokens).toBeLessThan(1_700);
    expect([hasFiles, boundPromptTokens < 2_000]).toEqual([true, true]);
  });

  it('counts an image in a file like any other', () => {
    const facts = factsOf(file('image/png'));
    expect(facts).toMatchObject({ hasFiles: false, imageCount: 1, estimatedFileTokens: 0 });
    expect(facts.estimatedPromptTokens).toBe(1_000);
    expect(facts.boundPromptTokens).toBeGreaterThanOrEqual(4_000);
    expect(facts.boundPromptTokens).toBeLessThan(5_000);
  });

  it('keeps the address of an image elsewhere in the bound', () => {
    const url = `https://example.org/${'a'.repeat(3_000)}.png`;
    const facts = factsOf({ type: 'image_url', image_url: { url } });
    expect(facts.boundPromptTokens).toBeGreaterThanOrEqual(7_000);
  });
});
