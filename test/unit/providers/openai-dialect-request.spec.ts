import type { ChatBody } from '../../../src/common/index';
import { ValidationError } from '../../../src/errors/index';
import { chatBody, jsonText, streamBody } from '../../../src/providers/adapters/openai-dialect/request';
import type { ChatCall } from '../../../src/providers/index';
import { catalogModel } from '../../support/contract/catalog-model';

function call(body: Partial<ChatBody>, asksStreamUsage?: boolean): ChatCall {
  return {
    model: catalogModel({ upstreamId: 'up', asksStreamUsage }),
    body: { model: 'up', messages: [], ...body },
    signal: new AbortController().signal,
    requestId: 'req_1',
  };
}

describe(jsonText.name, () => {
  it('says of what cannot be written that the request is wrong, so that nothing is booked for it', () => {
    const nested: unknown = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`);
    expect(() => jsonText({ nested })).toThrow(ValidationError);
  });
});

describe(chatBody.name, () => {
  it('keeps every field, known or not, in its order', () => {
    const body = {
      model: 'up',
      messages: [],
      seed: 7,
      x_vendor: { a: [null, 1.5] },
      logit_bias: { '50256': -100 },
    };
    expect(chatBody(call(body))).toBe(JSON.stringify(body));
  });

  it('replaces the model by the upstream id', () => {
    expect(JSON.parse(chatBody(call({ model: 'auto', n: 2 })))).toEqual({ model: 'up', messages: [], n: 2 });
  });

  it('never asks for a stream', () => {
    const body = { stream: true, stream_options: { include_usage: true } };
    expect(JSON.parse(chatBody(call(body)))).toEqual({ model: 'up', messages: [] });
  });
});

describe(streamBody.name, () => {
  it('asks for a stream and its usage beside the options of the caller', () => {
    const body = { stream_options: { include_usage: false, include_obfuscation: false } };
    expect(JSON.parse(streamBody(call(body), true))).toEqual({
      model: 'up',
      messages: [],
      stream: true,
      stream_options: { include_usage: true, include_obfuscation: false },
    });
  });

  it('adds no options where the upstream may refuse them', () => {
    expect(JSON.parse(streamBody(call({}), false))).toEqual({ model: 'up', messages: [], stream: true });
  });

  it('asks or does not ask as the catalog says of the model', () => {
    const asking = { model: 'up', messages: [], stream: true, stream_options: { include_usage: true } };
    const silent = { model: 'up', messages: [], stream: true };
    const wanted = { stream_options: { include_usage: true } };
    expect(JSON.parse(streamBody(call({}, true), false))).toEqual(asking);
    expect(JSON.parse(streamBody(call({}, false), true))).toEqual(silent);
    expect(JSON.parse(streamBody(call(wanted, false), false))).toEqual(silent);
    expect(JSON.parse(streamBody(call(wanted), false))).toEqual(asking);
  });
});
