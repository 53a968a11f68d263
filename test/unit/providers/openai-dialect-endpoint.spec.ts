import type { ProviderId } from '../../../src/common/index';
import type { ProviderSettings } from '../../../src/config/index';
import { endpointOf } from '../../../src/providers/adapters/openai-dialect/endpoint';

function settings(overrides: Partial<ProviderSettings>): ProviderSettings {
  return { isConfigured: true, variables: ['KEY', 'URL'], ...overrides };
}

function urls(provider: ProviderId, overrides: Partial<ProviderSettings>): [string, string] {
  const endpoint = endpointOf(provider, settings(overrides));
  return [endpoint.origin + endpoint.chatPath('my model'), endpoint.origin + endpoint.modelsPath];
}

describe(endpointOf.name, () => {
  it.each([
    [undefined, 'https://api.openai.com/v1'],
    ['http://host:1', 'http://host:1/v1'],
    ['http://host:1/', 'http://host:1/v1'],
    ['http://host:1/v1', 'http://host:1/v1'],
    ['http://host:1/v1/', 'http://host:1/v1'],
    ['https://host/api/v1', 'https://host/api/v1'],
    ['https://host/v1beta/openai/', 'https://host/v1beta/openai'],
  ])('reads the base URL %s as %s', (baseUrl, expected) => {
    expect(urls('openai', { baseUrl })).toEqual([`${expected}/chat/completions`, `${expected}/models`]);
  });

  it('knows where xAI is', () => {
    expect(urls('xai', {})[0]).toBe('https://api.x.ai/v1/chat/completions');
    expect(urls('xai', { baseUrl: 'http://host:1' })[0]).toBe('http://host:1/v1/chat/completions');
  });

  it('keeps the query of the base URL', () => {
    expect(urls('openai', { baseUrl: 'https://host/x?tenant=7' })[0]).toBe(
      'https://host/x/chat/completions?tenant=7',
    );
  });

  it.each([
    ['https://res.openai.azure.com', undefined, '2024-10-21'],
    ['https://res.openai.azure.com/openai/', '2025-01-01-preview', '2025-01-01-preview'],
    ['https://res.openai.azure.com?api-version=2024-06-01', '2025-01-01-preview', '2024-06-01'],
  ])('calls the deployment of azure at %s', (baseUrl, apiVersion, version) => {
    const [chat, models] = urls('azure', { baseUrl, apiVersion });
    expect(chat).toBe(
      `https://res.openai.azure.com/openai/deployments/my%20model/chat/completions?api-version=${version}`,
    );
    expect(models).toBe(`https://res.openai.azure.com/openai/models?api-version=${version}`);
  });

  it.each([
    [undefined, ''],
    ['2024-10-21', ''],
    ['preview', '?api-version=preview'],
  ])('calls the versionless API of azure with the version %s', (apiVersion, query) => {
    expect(urls('azure', { baseUrl: 'https://res.openai.azure.com/openai/v1/', apiVersion })[0]).toBe(
      `https://res.openai.azure.com/openai/v1/chat/completions${query}`,
    );
  });

  it.each<[ProviderId, Partial<ProviderSettings>, string | undefined]>([
    ['openai', {}, '/v1/responses'],
    ['openai', { baseUrl: 'https://host/x?tenant=7' }, '/x/responses?tenant=7'],
    ['azure', { baseUrl: 'https://res.openai.azure.com' }, '/openai/v1/responses'],
    [
      'azure',
      { baseUrl: 'https://res.openai.azure.com/openai/', apiVersion: '2025-01-01-preview' },
      '/openai/v1/responses',
    ],
    ['azure', { baseUrl: 'https://apim/x?api-version=2024-06-01&a=b' }, '/x/openai/v1/responses?a=b'],
    [
      'azure',
      { baseUrl: 'https://res.openai.azure.com', apiVersion: 'preview' },
      '/openai/v1/responses?api-version=preview',
    ],
    ['azure', { baseUrl: 'https://res.openai.azure.com/openai/v1' }, '/openai/v1/responses'],
    ['dial', { baseUrl: 'https://dial/core' }, undefined],
  ])('finds the Responses API of %s with %j at %s', (provider, overrides, path) => {
    expect(endpointOf(provider, settings(overrides)).responsesPath).toBe(path);
  });

  it('calls deployments of dial and does not ask their streams for usage', () => {
    const endpoint = endpointOf('dial', settings({ baseUrl: 'https://dial/core', apiKey: 'k' }));
    expect(endpoint.chatPath('a')).toBe('/core/openai/deployments/a/chat/completions?api-version=2024-10-21');
    expect(endpoint.chatPath('a')).toBe(endpoint.chatPath('a'));
    expect(endpoint.asksStreamUsage).toBe(false);
    expect(endpoint.headers).toEqual(['api-key', 'k']);
  });

  it('sends a key in the header of the dialect, and none without a key', () => {
    expect(endpointOf('openai', settings({ apiKey: 'k' })).headers).toEqual(['authorization', 'Bearer k']);
    expect(endpointOf('local', settings({ baseUrl: 'http://host' })).headers).toEqual([]);
    expect(endpointOf('azure', settings({ baseUrl: 'http://host/v1', apiKey: 'k' })).headers).toEqual([
      'api-key',
      'k',
    ]);
  });

  it('names the variables when azure has no URL', () => {
    expect(() => endpointOf('azure', settings({ apiKey: 'k' }))).toThrow('set KEY and URL');
  });
});
