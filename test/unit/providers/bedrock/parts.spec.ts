import { bedrockEndpoint } from '../../../../src/providers/adapters/bedrock/endpoint';
import { bedrockErrorType, bedrockFault } from '../../../../src/providers/adapters/bedrock/errors';
import { familyOf } from '../../../../src/providers/adapters/bedrock/families';
import { bedrockModelIds } from '../../../../src/providers/adapters/bedrock/list-models';
import { bedrockUsage } from '../../../../src/providers/adapters/bedrock/usage';

describe(bedrockEndpoint.name, () => {
  it.each([
    [
      'eu-central-1',
      'https://bedrock-runtime.eu-central-1.amazonaws.com',
      'https://bedrock.eu-central-1.amazonaws.com',
    ],
    [
      'cn-north-1',
      'https://bedrock-runtime.cn-north-1.amazonaws.com.cn',
      'https://bedrock.cn-north-1.amazonaws.com.cn',
    ],
    [
      'eusc-de-east-1',
      'https://bedrock-runtime.eusc-de-east-1.amazonaws.eu',
      'https://bedrock.eusc-de-east-1.amazonaws.eu',
    ],
  ])('knows the hosts of %s', (region, runtimeUrl, controlUrl) => {
    expect(bedrockEndpoint(undefined, region)).toEqual({ runtimeUrl, controlUrl });
  });

  it.each([
    [
      'https://bedrock-runtime-fips.us-east-1.amazonaws.com/',
      'https://bedrock-runtime-fips.us-east-1.amazonaws.com',
      'https://bedrock-fips.us-east-1.amazonaws.com',
    ],
    [
      'http://proxy:8080/bedrock-runtime//',
      'http://proxy:8080/bedrock-runtime',
      'http://proxy:8080/bedrock-runtime',
    ],
  ])('takes the base URL %s before the region', (baseUrl, runtimeUrl, controlUrl) => {
    expect(bedrockEndpoint(baseUrl, 'eu-central-1')).toEqual({ runtimeUrl, controlUrl });
  });
});

describe(bedrockFault.name, () => {
  it.each([
    [
      400,
      'The model returned the following errors: Input is too long for requested model.',
      'context_length',
    ],
    [400, 'input length and `max_tokens` exceed context limit: 199000 + 8192 > 200000', 'context_length'],
    [400, 'Malformed input request: expected maxLength: 2048, actual: 4000', 'context_length'],
    [400, "This model's maximum context length is 131072 tokens", 'context_length'],
    [400, 'Invocation of model ID amazon.nova-2 with on-demand throughput isn’t supported.', 'not_found'],
    [400, 'Your account is not authorized to invoke this API operation.', 'rejected'],
    [400, 'Output blocked by content filtering policy', 'content_filter'],
    [400, 'The maximum tokens you requested exceeds the model limit of 4096.', undefined],
    [424, 'The model failed', 'overloaded'],
    [429, 'Too many tokens, please wait before trying again.', undefined],
    [200, 'Type validation failed: Value: {"text":"Input is too long"}', undefined],
  ])('reads %i "%s" as %s', (status, message, fault) => {
    expect(bedrockFault(status, message, status === 400 ? 'ValidationException' : undefined)).toBe(fault);
  });
});

describe(bedrockErrorType.name, () => {
  it.each([
    [{ 'x-amzn-errortype': 'ThrottlingException:http://internal.amazon.com/' }, {}, 'ThrottlingException'],
    [{ 'x-amzn-errortype': 'ThrottlingException' }, undefined, 'ThrottlingException'],
    [{}, { __type: 'com.amazon.coral.service#InternalFailure' }, 'InternalFailure'],
    [{}, { throttlingException: { message: 'slow' } }, 'throttlingException'],
    [{}, { message: 'odd' }, undefined],
    [{}, 'text', undefined],
  ])('reads %j and %j as %s', (headers, body, type) => {
    expect(bedrockErrorType(headers as Record<string, string>, body)).toBe(type);
  });
});

describe(familyOf.name, () => {
  it.each([
    ['anthropic.claude-3-haiku-20240307-v1:0', 'claude'],
    ['global.anthropic.claude-opus-5-5', 'claude'],
    ['us.amazon.nova-pro-v1:0', 'nova'],
    ['global.amazon.nova-2-lite-v1:0', 'nova 2'],
    ['openai.gpt-oss-120b-1:0', 'openai'],
    ['us.openai.gpt-5.6-luna', 'openai'],
    ['us.meta.llama3-3-70b-instruct-v1:0', 'other'],
    ['arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abc', 'other'],
  ])('knows %s as %s', (id, family) => {
    expect(familyOf(id)).toBe(family);
  });
});

describe(bedrockModelIds.name, () => {
  it('reads the pages of inference profiles to the end', async () => {
    const asked: string[] = [];
    const ids = await bedrockModelIds((path) => {
      asked.push(path);
      if (path === '/foundation-models') return Promise.resolve({ modelSummaries: [{ modelId: 'm' }] });
      const isFirst = !path.includes('nextToken');
      return Promise.resolve({
        inferenceProfileSummaries: [{ inferenceProfileId: isFirst ? 'p1' : 'p2' }],
        nextToken: isFirst ? 'a/b=' : null,
      });
    });
    expect(ids).toEqual(['m', 'p1', 'p2']);
    expect(asked).toContain('/inference-profiles?maxResults=1000&nextToken=a%2Fb%3D');
    expect(asked).toHaveLength(3);
  });

  it('ends at an empty page, whatever token it has', async () => {
    const read = jest.fn(() => Promise.resolve({ inferenceProfileSummaries: [], nextToken: 'again' }));
    expect(await bedrockModelIds(read)).toEqual([]);
    expect(read).toHaveBeenCalledTimes(2);
  });
});

describe(bedrockUsage.name, () => {
  const counted = (raw: object | undefined) =>
    bedrockUsage({
      inputTokens: { total: 5, noCache: 5, cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: 2, text: 2, reasoning: undefined },
      raw: raw as never,
    });

  it('keeps a zero that was told apart from one that was not', () => {
    expect(counted({ inputTokens: 5, outputTokens: 2, cacheReadInputTokens: 0 })).toEqual({
      promptTokens: 5,
      completionTokens: 2,
      cachedReadTokens: 0,
    });
    expect(counted(undefined)).toEqual({ promptTokens: 5, completionTokens: 2 });
  });

  it('tells one-hour cache writes from the details', () => {
    expect(counted({ cacheDetails: [{ ttl: '5m', inputTokens: 7 }] }).cacheWriteOneHourTokens).toBe(0);
    expect(counted({ cacheDetails: [{ ttl: '1h', inputTokens: 7 }] }).cacheWriteOneHourTokens).toBe(7);
  });
});
