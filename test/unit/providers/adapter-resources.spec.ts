import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AppConfig } from '../../../src/config/index';
import { AdapterResources } from '../../../src/providers/adapter-resources';
import { inlineImages } from '../../../src/providers/adapters/ai-sdk/prompt-images';
import type { KeptThoughtsRepository } from '../../../src/providers/kept-thoughts.repository';
import { PIXEL } from '../../support/contract/adapter-cases';

describe(AdapterResources.name, () => {
  const server = createServer((_, response) =>
    response.end(Buffer.from(PIXEL.split(',')[1] ?? '', 'base64')),
  );
  let host = '';
  beforeAll(async () => {
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const resourcesOf = (...outboundAllowedHosts: string[]): AdapterResources =>
    new AdapterResources({ outboundAllowedHosts } as unknown as AppConfig, {} as KeptThoughtsRepository);
  const load = async (resources: AdapterResources): Promise<unknown> => {
    const url = new URL(`http://${host}/a.png`);
    const part = { type: 'file' as const, mediaType: 'image', data: { type: 'url' as const, url } };
    try {
      return await inlineImages(
        [{ role: 'user', content: [part] }],
        resources.images,
        new AbortController().signal,
      );
    } finally {
      await resources.onApplicationShutdown();
    }
  };

  it('lets images come from hosts that the administrator allows, and says how', async () => {
    await expect(load(resourcesOf(host))).resolves.toMatchObject([{ content: [{ mediaType: 'image/png' }] }]);
    await expect(load(resourcesOf())).rejects.toMatchObject({
      message: expect.stringContaining('OUTBOUND_ALLOWED_HOSTS') as string,
    });
  });

  it('has one loader and one memory for all adapters', () => {
    const resources = resourcesOf();
    expect(resources.images).toBe(resources.images);
    expect(resources.thoughts).toBe(resources.thoughts);
  });
});
