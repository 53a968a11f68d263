import type { JsonObject } from '../../../../src/common/index';
import { resultText } from '../../../../src/tools/mcp/call-result';

describe('resultText', () => {
  it.each<[string, JsonObject, string]>([
    [
      'text',
      {
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
      'a\nb',
    ],
    ['nothing', { content: [] }, ''],
    ['no content at all', {}, ''],
    ['data only', { content: [], structuredContent: { sum: 3 } }, '{"sum":3}'],
    ['text beside data', { content: [{ type: 'text', text: 'a' }], structuredContent: { sum: 3 } }, 'a'],
    [
      'an image',
      { content: [{ type: 'image', mimeType: 'image/png', data: 'AAAA' }] },
      '[image, image/png, 3 bytes]',
    ],
    ['a sound', { content: [{ type: 'audio', data: 'AAAA' }] }, '[audio, of no known type, 3 bytes]'],
    [
      'a text resource',
      { content: [{ type: 'resource', resource: { uri: 'a:b', text: 'in' } }] },
      '[a:b]\nin',
    ],
    [
      'bytes',
      { content: [{ type: 'resource', resource: { uri: 'a:b', blob: 'AAAA', mimeType: 'x/y' } }] },
      '[a:b, x/y, 3 bytes]',
    ],
    ['a link', { content: [{ type: 'resource_link', uri: 'a:b', name: 'N' }] }, '[link to N: a:b]'],
    ['a new kind', { content: [{ type: 'hologram' }] }, '[content of a kind that is not known]'],
    ['nonsense', { content: ['x', { type: 'text', text: 3 }] }, '[something that is no content]\n'],
  ])('describes %s', (_kind, result, expected) => {
    expect(resultText(result)).toBe(expected);
  });

  it('throws what a failed tool says, on one line', () => {
    const content = [{ type: 'text', text: 'the wiki is closed\n  until Monday' }];
    expect(() => resultText({ content, isError: true })).toThrow(
      new Error('the wiki is closed until Monday'),
    );
    expect(() => resultText({ content: [], isError: true })).toThrow(new Error('it failed'));
  });
});
