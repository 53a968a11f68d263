import type { ChatBody } from '../../../src/common/index';
import { chatBody, streamBody } from '../../../src/providers/adapters/openai-dialect/request';
import type { ChatCall } from '../../../src/providers/index';
import { catalogModel } from '../../support/contract/catalog-model';

function call(body: Partial<ChatBody>): ChatCall {
  return {
    model: catalogModel({ upstreamId: 'up' }),
    body: { model: 'up', messages: [], ...body },
    signal: new AbortController().signal,
    requestId: 'req_1',
  };
}

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
});
