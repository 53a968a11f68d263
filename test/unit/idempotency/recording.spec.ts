import { Readable } from 'node:stream';
import { Recording } from '../../../src/idempotency/recording';

function record(maxBytes = 100, isPublic = false) {
  const settle = jest.fn().mockResolvedValue(undefined);
  const onTooLong = jest.fn();
  return { settle, onTooLong, recording: new Recording({ maxBytes, isPublic, settle, onTooLong }) };
}

describe(Recording.name, () => {
  it('joins the frames of a stream', async () => {
    const { recording, settle } = record();
    recording.begin(200, { 'content-type': 'text/event-stream' });
    recording.write('data: ä\n\n');
    recording.write('data: [DONE]\n\n');
    expect(recording.isSettling).toBe(false);
    await recording.end();
    expect(settle).toHaveBeenCalledWith({
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
      body: Buffer.from('data: ä\n\ndata: [DONE]\n\n'),
    });
  });

  it('keeps nothing of a stream that failed, and settles once', async () => {
    const { recording, settle } = record();
    recording.begin(200, {});
    recording.write('data: x\n\n');
    await recording.fail();
    await recording.end();
    expect(settle.mock.calls).toEqual([[undefined]]);
  });

  it('says once that a stream is too long, and keeps nothing of it', async () => {
    const { recording, settle, onTooLong } = record(5);
    recording.begin(200, {});
    for (const frame of ['12345', '6', '7']) recording.write(frame);
    await recording.end();
    expect([onTooLong.mock.calls.length, settle.mock.calls]).toEqual([1, [[undefined]]]);
  });

  it.each<[string, unknown, string]>([
    ['text', '{"a":1}', '{"a":1}'],
    ['bytes', Buffer.from('abc'), 'abc'],
    ['nothing', undefined, ''],
  ])('takes a whole answer of %s', async (_, payload, expected) => {
    const { recording, settle } = record();
    await recording.answer(200, { 'x-lattice-model': 'm' }, payload);
    expect(settle).toHaveBeenCalledWith({
      status: 200,
      headers: { 'x-lattice-model': 'm' },
      body: Buffer.from(expected),
    });
  });

  it.each<[string, number, unknown]>([
    ['an error of ours', 500, '{}'],
    ['a file', 200, Readable.from(['x'])],
    ['too much', 200, 'x'.repeat(101)],
  ])('keeps nothing of %s', async (_, status, payload) => {
    const { recording, settle } = record();
    await recording.answer(status, {}, payload);
    expect(settle.mock.calls).toEqual([[undefined]]);
  });
});
