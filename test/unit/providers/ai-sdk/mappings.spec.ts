import type { LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { ChunkWriter } from '../../../../src/providers/adapters/ai-sdk/chunk-writer';
import { asErrorFrame, faultOfStatus } from '../../../../src/providers/adapters/ai-sdk/errors';
import {
  finishReason,
  isCompleted,
  openAiFinishReason,
} from '../../../../src/providers/adapters/ai-sdk/finish-reason';
import { openAiUsage, tokenUsage } from '../../../../src/providers/adapters/ai-sdk/usage';
import { warningText } from '../../../../src/providers/adapters/ai-sdk/warnings';

describe('finish reasons', () => {
  it.each([
    ['stop', 'end_turn', true, 'stop', 'stop'],
    ['length', 'max_tokens', true, 'length', 'length'],
    ['content-filter', 'refusal', true, 'content_filter', 'content_filter'],
    ['tool-calls', 'tool_use', true, 'tool_calls', 'tool_calls'],
    ['other', 'pause', true, 'unknown', 'stop'],
    ['other', undefined, false, 'unknown', 'stop'],
    ['interrupted', undefined, false, 'unknown', 'stop'],
    ['error', 'MALFORMED_FUNCTION_CALL', false, 'error', 'stop'],
  ] as const)('%s (%s) is whole: %s', (unified, raw, isWhole, reason, written) => {
    expect(isCompleted({ unified, raw })).toBe(isWhole);
    expect(finishReason({ unified, raw })).toBe(reason);
    expect(openAiFinishReason(reason)).toBe(written);
  });
});

describe(faultOfStatus.name, () => {
  it.each([
    [301, 'malformed'],
    [400, 'invalid_request'],
    [401, 'rejected'],
    [402, 'rejected'],
    [403, 'rejected'],
    [404, 'not_found'],
    [408, 'overloaded'],
    [409, 'overloaded'],
    [410, 'not_found'],
    [413, 'context_length'],
    [422, 'invalid_request'],
    [429, 'rate_limited'],
    [500, 'overloaded'],
    [529, 'overloaded'],
  ])('takes %i for %s', (status, fault) => {
    expect(faultOfStatus(status)).toBe(fault);
  });
});

describe(asErrorFrame.name, () => {
  it('counts an error event of an unknown kind as a failure of the provider', () => {
    expect(asErrorFrame({ message: 'odd' })).toEqual({ message: 'odd', statusCode: 500 });
    expect(asErrorFrame({ message: 'busy', statusCode: 529 })).toEqual({ message: 'busy', statusCode: 529 });
    const error = new Error('broken');
    expect(asErrorFrame(error)).toBe(error);
  });
});

describe(warningText.name, () => {
  it.each([
    [{ type: 'unsupported', feature: 'topK' }, 'top_k is not supported and was left out'],
    [{ type: 'unsupported', feature: 'seed', details: 'not here' }, 'seed: not here'],
    [{ type: 'compatibility', feature: 'reasoning' }, 'reasoning_effort was adapted'],
    [{ type: 'deprecated', setting: 'old', message: 'use new' }, 'old: use new'],
    [{ type: 'other', message: 'Just so you know' }, 'Just so you know'],
  ] as const)('words %j', (warning, text) => {
    expect(warningText(warning)).toBe(text);
  });
});

describe('usage', () => {
  const unknown = { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined };

  it('stays unknown where the provider was silent', () => {
    const usage = { inputTokens: unknown, outputTokens: { total: 4, text: undefined, reasoning: undefined } };
    expect(tokenUsage(usage)).toEqual({ completionTokens: 4 });
    expect(openAiUsage(tokenUsage(usage))).toBeUndefined();
  });
});

describe(ChunkWriter.name, () => {
  const write = (parts: readonly LanguageModelV4StreamPart[]) => {
    const writer = new ChunkWriter({ id: 'c', model: 'm', created: 1 });
    const chunks = parts.flatMap((part) => writer.write(part));
    return chunks.map(({ chunk }) => (chunk.choices as { delta: unknown }[])[0]?.delta);
  };

  it('numbers tool calls in the order in which they begin', () => {
    const deltas = write([
      { type: 'tool-input-start', id: 'a', toolName: 'f' },
      { type: 'tool-input-start', id: 'b', toolName: 'g' },
      { type: 'tool-input-delta', id: 'b', delta: '{"x":' },
      { type: 'tool-input-delta', id: 'a', delta: '{}' },
      { type: 'tool-input-delta', id: 'b', delta: '1}' },
      { type: 'tool-call', toolCallId: 'a', toolName: 'f', input: '{}' },
      { type: 'tool-call', toolCallId: 'c', toolName: 'h', input: '{"whole":true}' },
    ]);
    expect(deltas.slice(1)).toMatchObject([
      { tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }] },
      { tool_calls: [{ index: 1, id: 'b' }] },
      { tool_calls: [{ index: 1, function: { arguments: '{"x":' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '{}' } }] },
      { tool_calls: [{ index: 1, function: { arguments: '1}' } }] },
      { tool_calls: [{ index: 2, id: 'c', function: { name: 'h' } }] },
      { tool_calls: [{ index: 2, function: { arguments: '{"whole":true}' } }] },
    ]);
  });

  it('shows nothing of tools that the provider runs itself, of empty deltas and of unknown ids', () => {
    expect(
      write([
        { type: 'tool-input-start', id: 'a', toolName: 'search', providerExecuted: true },
        { type: 'tool-input-delta', id: 'a', delta: '{}' },
        { type: 'tool-call', toolCallId: 'a', toolName: 'search', input: '{}', providerExecuted: true },
        { type: 'text-delta', id: '0', delta: '' },
      ]),
    ).toEqual([]);
  });
});
