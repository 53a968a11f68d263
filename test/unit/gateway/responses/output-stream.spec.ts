import { OutputStream, ResponseEvents } from '../../../../src/gateway/responses/output-stream';
import { outputOf } from '../../../../src/gateway/responses/items';

const REQUEST = '0192f0c1-a2b3-7c4d-8e5f-60718293a4b5';

interface Event {
  readonly type: string;
  readonly sequence_number: number;
  readonly output_index?: number;
  readonly item_id?: string;
  readonly item?: { readonly id: string; readonly status?: string };
}

const parsed = (text: string): Event[] =>
  text
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => {
      const [name, data] = event.split('\n');
      const json = JSON.parse(data?.slice('data: '.length) ?? '') as Event;
      expect(name).toBe(`event: ${json.type}`);
      return json;
    });

const short = ({ type, output_index: index }: Event): string => `${index} ${type.replace(/^response\./, '')}`;

describe(OutputStream, () => {
  let output: OutputStream;
  beforeEach(() => (output = new OutputStream(REQUEST, new ResponseEvents())));

  it('tells of thoughts, then of text, then of calls', () => {
    const events = parsed(
      output.addText('summary_text', 'Hm') +
        output.addText('output_text', 'Hel') +
        output.addText('output_text', 'lo') +
        output.addText('output_text', '') +
        output.addCall(0, { id: 'a', name: 'f', text: '' }) +
        output.addCall(0, { text: '{}' }) +
        output.finish('completed'),
    );
    expect(events.map(short)).toEqual([
      '0 output_item.added',
      '0 reasoning_summary_part.added',
      '0 reasoning_summary_text.delta',
      '0 reasoning_summary_text.done',
      '0 reasoning_summary_part.done',
      '0 output_item.done',
      '1 output_item.added',
      '1 content_part.added',
      '1 output_text.delta',
      '1 output_text.delta',
      '1 output_text.done',
      '1 content_part.done',
      '1 output_item.done',
      '2 output_item.added',
      '2 function_call_arguments.delta',
      '2 function_call_arguments.done',
      '2 output_item.done',
    ]);
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
    expect(events[3]).toMatchObject({ text: 'Hm', summary_index: 0 });
    expect(events[10]).toMatchObject({ text: 'Hello', content_index: 0, logprobs: [] });
    expect(events[15]).toMatchObject({ arguments: '{}', name: 'f' });
    const ids = new Map<number, Set<string>>();
    for (const { output_index: index = 0, item, item_id: id } of events) {
      ids.set(index, (ids.get(index) ?? new Set()).add(item?.id ?? id ?? ''));
    }
    expect([...ids.values()].map((set) => [...set])).toEqual([
      ['rs_0192f0c1a2b37c4d8e5f60718293a4b50000'],
      ['msg_0192f0c1a2b37c4d8e5f60718293a4b50001'],
      ['fc_0192f0c1a2b37c4d8e5f60718293a4b50002'],
    ]);
  });

  it('ends with the items that its events told of', () => {
    const events = parsed(
      output.addText('output_text', 'Hello') +
        output.addText('refusal', 'No') +
        output.addCall(0, { id: 'a', name: 'f', text: '{"x":' }) +
        output.finish('incomplete'),
    );
    const done = events.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item);
    expect(done).toEqual(outputOf(output.items, REQUEST, 'incomplete'));
    expect(done.map((item) => item?.status)).toEqual(['completed', 'completed', 'incomplete']);
    expect(done).toMatchObject([
      { content: [{ type: 'output_text', text: 'Hello' }] },
      { content: [{ type: 'refusal', refusal: 'No' }] },
      { call_id: 'a', name: 'f', arguments: '{"x":' },
    ]);
  });

  it('keeps calls apart that come interleaved', () => {
    const events = parsed(
      output.addCall(0, { id: 'a', name: 'f', text: '1' }) +
        output.addCall(1, { id: 'b', name: 'g', text: '2' }) +
        output.addCall(0, { text: '3' }) +
        output.addCall(1, { text: '4' }) +
        output.finish('completed'),
    );
    expect(events.map(short)).toEqual([
      '0 output_item.added',
      '0 function_call_arguments.delta',
      '1 output_item.added',
      '1 function_call_arguments.delta',
      '0 function_call_arguments.delta',
      '1 function_call_arguments.delta',
      '0 function_call_arguments.done',
      '0 output_item.done',
      '1 function_call_arguments.done',
      '1 output_item.done',
    ]);
    expect(output.items).toMatchObject([
      { callId: 'a', arguments: '13' },
      { callId: 'b', arguments: '24' },
    ]);
  });

  it('waits with a call until its name and id are known, and loses nothing of it', () => {
    expect(output.addCall(0, { id: 'a', text: '{"a"' })).toBe('');
    const events = parsed(output.addCall(0, { name: 'f', text: ':1}' }));
    expect(events).toMatchObject([
      {
        type: 'response.output_item.added',
        item: { call_id: 'a', name: 'f', arguments: '', status: 'in_progress' },
      },
      { type: 'response.function_call_arguments.delta', delta: '{"a":1}' },
    ]);
    expect(output.items).toMatchObject([{ arguments: '{"a":1}' }]);
  });

  it('begins another message for text behind a call', () => {
    output.addText('output_text', 'a');
    output.addCall(0, { id: 'a', name: 'f', text: '{}' });
    output.addText('output_text', 'b');
    output.finish('completed');
    expect(output.items.map(({ kind }) => kind)).toEqual(['output_text', 'function_call', 'output_text']);
  });
});
