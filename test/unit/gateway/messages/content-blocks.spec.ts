import { ContentBlocks } from '../../../../src/gateway/messages/content-blocks';

interface Event {
  readonly type: string;
  readonly index: number;
  readonly content_block?: Readonly<Record<string, string>>;
  readonly delta?: Readonly<Record<string, string>>;
}

const eventsOf = (text: string): Event[] =>
  text
    .split('\n\n')
    .filter(Boolean)
    .map((event) => {
      const [, name, data] = /^event: (\S+)\ndata: (.*)$/.exec(event) ?? [];
      const parsed = JSON.parse(data ?? '') as Event;
      expect(parsed.type).toBe(name);
      return parsed;
    });

/** `start 0 text`, `delta 0 Hi`, `stop 0`. */
const brief = (text: string): string[] =>
  eventsOf(text).map(({ type, index, content_block: block, delta }) => {
    const what = block?.name ?? block?.type ?? delta?.text ?? delta?.thinking ?? delta?.partial_json;
    return [type.replace('content_block_', ''), index, what].filter((part) => part !== undefined).join(' ');
  });

describe(ContentBlocks.name, () => {
  it('sends text as it comes, thinking in a block before it', () => {
    const blocks = new ContentBlocks();
    blocks.addText('thinking', 'hm');
    expect(brief(blocks.take(false))).toEqual(['start 0 thinking', 'delta 0 hm']);
    blocks.addText('text', 'Hello');
    expect(brief(blocks.take(false))).toEqual(['stop 0', 'start 1 text', 'delta 1 Hello']);
    blocks.addText('text', ' you');
    expect(brief(blocks.take(false))).toEqual(['delta 1  you']);
    expect(brief(blocks.take(true))).toEqual(['stop 1']);
  });

  it('sends calls one after the other', () => {
    const blocks = new ContentBlocks();
    blocks.addCall(0, { id: 'a', name: 'f', text: '' });
    blocks.addCall(0, { text: '{"x":' });
    expect(brief(blocks.take(false))).toEqual(['start 0 f', 'delta 0 {"x":']);
    blocks.addCall(0, { text: '1}' });
    blocks.addCall(1, { id: 'b', name: 'g', text: '{}' });
    expect(brief(blocks.take(false))).toEqual(['delta 0 1}', 'stop 0', 'start 1 g', 'delta 1 {}']);
    expect(brief(blocks.take(true))).toEqual(['stop 1']);
    expect(blocks.hasCalls).toBe(true);
  });

  it('sorts interleaved calls out', () => {
    const blocks = new ContentBlocks();
    blocks.addCall(0, { id: 'a', name: 'f', text: '{"x":' });
    blocks.addCall(1, { id: 'b', name: 'g', text: '{"y":' });
    expect(brief(blocks.take(false))).toEqual(['start 0 f', 'delta 0 {"x":']);
    blocks.addCall(1, { text: '2}' });
    expect(blocks.take(false)).toBe('');
    blocks.addCall(0, { text: '1}' });
    expect(brief(blocks.take(false))).toEqual(['delta 0 1}', 'stop 0', 'start 1 g', 'delta 1 {"y":2}']);
  });

  it('begins a call when it knows whose it is', () => {
    const blocks = new ContentBlocks();
    blocks.addCall(0, { id: 'a', text: '' });
    expect(blocks.take(false)).toBe('');
    blocks.addCall(0, { name: 'f', text: '{}' });
    const [start] = eventsOf(blocks.take(false));
    expect(start?.content_block).toEqual({
      type: 'tool_use',
      id: 'a',
      name: 'f',
      input: {},
      caller: { type: 'direct' },
    });
  });

  it('leaves nothing behind at the end', () => {
    const blocks = new ContentBlocks();
    blocks.addCall(0, { id: 'a', name: 'f', text: '' });
    blocks.addCall(1, { id: 'b', name: 'g', text: '{"y"' });
    expect(brief(blocks.take(true))).toEqual(['start 0 f', 'stop 0', 'start 1 g', 'delta 1 {"y"', 'stop 1']);
    expect(blocks.take(true)).toBe('');
  });
});
