import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { LanguageModelV4Prompt } from '@ai-sdk/provider';
import { type OutboundAnswer, OutboundClient, type OutboundRequest } from '../../../../src/common/index';
import { inlineImages } from '../../../../src/providers/adapters/ai-sdk/prompt-images';
import { MAX_IMAGE_BYTES } from '../../../../src/providers/adapters/images/image-downloads';
import { ImageLoader, ImagesBusyError } from '../../../../src/providers/adapters/images/image-loader';
import { imageType } from '../../../../src/providers/adapters/images/image-type';
import { PIXEL } from '../../../support/contract/adapter-cases';
import { listen } from '../../../support/listen';

const PNG = Buffer.from(PIXEL.split(',')[1] ?? '', 'base64');
const BIG = Buffer.concat([PNG, Buffer.alloc(MAX_IMAGE_BYTES / 2)]);

const image = (url: string) => ({
  type: 'file' as const,
  mediaType: 'image',
  data: { type: 'url' as const, url: new URL(url) },
});
const user = (...urls: string[]): LanguageModelV4Prompt => [
  { role: 'system', content: 'Look.' },
  { role: 'user', content: [{ type: 'text', text: 'And?' }, ...urls.map(image)] },
];
const inlined = (bytes: Buffer, mediaType: string) => ({
  type: 'file',
  mediaType,
  data: { type: 'data', data: bytes.toString('base64') },
});

/** As the adapters use it. */
type PromptLoader = Pick<ImageLoader, 'close'> & {
  readonly inline: (prompt: LanguageModelV4Prompt, signal: AbortSignal) => Promise<LanguageModelV4Prompt>;
};

function using(loader: ImageLoader): PromptLoader {
  return {
    inline: (prompt, signal) => inlineImages(prompt, loader, signal),
    close: () => loader.close(),
  };
}

function loaderOver(send: OutboundClient['send']): PromptLoader {
  return using(new ImageLoader({ send, close: () => Promise.resolve() }));
}

function loaderOf(answers: Record<string, Partial<OutboundAnswer> | Error>) {
  const asked: { url: string; request: OutboundRequest }[] = [];
  const send = (url: string, request: OutboundRequest): Promise<OutboundAnswer> => {
    asked.push({ url, request });
    const answer = answers[url];
    if (answer instanceof Error) return Promise.reject(answer);
    return Promise.resolve({ status: 200, headers: {}, body: PNG, isCut: false, ...answer });
  };
  return { asked, loader: loaderOver(send) };
}

describe(ImageLoader.name, () => {
  /** Of a request of its own in each test. */
  let signal: AbortSignal;
  beforeEach(() => void (signal = new AbortController().signal));

  it('does nothing to a prompt without image URLs', async () => {
    const { asked, loader } = loaderOf({});
    const prompt: LanguageModelV4Prompt = [
      {
        role: 'user',
        content: [{ type: 'file', mediaType: 'image/png', data: { type: 'data', data: 'QUJD' } }],
      },
    ];
    expect(await loader.inline(prompt, signal)).toBe(prompt);
    expect(asked).toEqual([]);
  });

  it('puts the bytes in the place of the URL, in turns of the user and in results of tools', async () => {
    const { loader } = loaderOf({});
    const result = { type: 'tool-result' as const, toolCallId: 'a', toolName: 'f' };
    const prompt: LanguageModelV4Prompt = [
      ...user('https://example.com/a.png'),
      {
        role: 'tool',
        content: [
          { ...result, output: { type: 'content', value: [image('https://example.com/b.png')] } },
          { ...result, output: { type: 'text', value: 'b' } },
        ],
      },
    ];
    expect(await loader.inline(prompt, signal)).toEqual([
      prompt[0],
      { role: 'user', content: [{ type: 'text', text: 'And?' }, inlined(PNG, 'image/png')] },
      {
        role: 'tool',
        content: [
          { ...result, output: { type: 'content', value: [inlined(PNG, 'image/png')] } },
          { ...result, output: { type: 'text', value: 'b' } },
        ],
      },
    ]);
  });

  it('counts all images of a request against one bound', async () => {
    const { asked, loader } = loaderOf({ 'https://example.com/b.png': { isCut: true } });
    const run = loader.inline(user('https://example.com/a.png', 'https://example.com/b.png'), signal);
    await expect(run).rejects.toMatchObject({
      param: 'messages[1].content[2].image_url.url',
      message: expect.stringContaining(`${MAX_IMAGE_BYTES} bytes together`) as string,
    });
    const [budget, ...others] = asked.map(({ request }) => request.budget);
    expect(budget).toEqual({ left: MAX_IMAGE_BYTES });
    expect(others.every((other) => other === budget)).toBe(true);
  });

  it('downloads an image once for all attempts of a request, and anew for another request', async () => {
    const { asked, loader } = loaderOf({});
    const prompt = user('https://example.com/a.png', 'https://example.com/a.png');
    const request = new AbortController().signal;
    const first = await loader.inline(prompt, request);
    expect(await loader.inline(prompt, request)).toEqual(first);
    expect(asked).toHaveLength(1);
    await loader.inline(prompt, new AbortController().signal);
    expect(asked).toHaveLength(2);
  });

  it('remembers a failure too, and names the field that asked', async () => {
    const { asked, loader } = loaderOf({ 'https://example.com/a.png': { status: 404 } });
    const request = new AbortController().signal;
    await expect(loader.inline(user('https://example.com/a.png'), request)).rejects.toMatchObject({
      param: 'messages[1].content[1].image_url.url',
    });
    const later = user('https://example.com/b.png', 'https://example.com/a.png');
    await expect(loader.inline(later, request)).rejects.toMatchObject({
      param: 'messages[1].content[2].image_url.url',
    });
    expect(asked.map(({ url }) => url)).toEqual(['https://example.com/a.png', 'https://example.com/b.png']);
  });

  it('downloads a few at a time, and no more once one has failed', async () => {
    const waiting: ((answer: OutboundAnswer) => void)[] = [];
    const send = (): Promise<OutboundAnswer> => new Promise((resolve) => waiting.push(resolve));
    const loader = loaderOver(send);
    const urls = Array.from({ length: 9 }, (_, index) => `https://example.com/${index}.png`);
    const answer = { status: 200, headers: {}, body: PNG, isCut: false };
    const run = loader.inline(user(...urls), new AbortController().signal);
    expect(waiting).toHaveLength(4);
    waiting[0]?.(answer);
    await new Promise((resolve) => setImmediate(resolve));
    expect(waiting).toHaveLength(5);
    waiting[1]?.({ ...answer, status: 500 });
    await expect(run).rejects.toMatchObject({ param: 'messages[1].content[2].image_url.url' });
    for (const settle of waiting) settle(answer);
    await new Promise((resolve) => setImmediate(resolve));
    expect(waiting).toHaveLength(5);
  });

  describe('for many requests at once', () => {
    const answer = { status: 200, headers: {}, body: PNG, isCut: false };
    const turns = () => new Promise((resolve) => setImmediate(resolve));
    const setUp = () => {
      const timeout = new AbortController();
      jest.spyOn(AbortSignal, 'timeout').mockReturnValue(timeout.signal);
      const open: (() => void)[] = [];
      const loader = loaderOver(() => new Promise((resolve) => open.push(() => resolve(answer))));
      const ask = (name: string, request = new AbortController().signal) =>
        loader.inline(user(`https://example.com/${name}.png`), request);
      return { timeout, open, ask };
    };

    afterEach(() => jest.restoreAllMocks());

    it('downloads those of sixteen, and the others’ as these are done', async () => {
      const { open, ask } = setUp();
      const all = Array.from({ length: 18 }, (_, index) => ask(String(index)));
      await turns();
      expect(open).toHaveLength(16);
      open[0]?.();
      await turns();
      expect(open).toHaveLength(17);
      for (let at = 1; at < 18; at += 1) {
        open[at]?.();
        await turns();
      }
      expect(await Promise.all(all)).toHaveLength(18);
    });

    it('refuses who has waited too long, as our own doing', async () => {
      const { timeout, open, ask } = setUp();
      const all = Array.from({ length: 16 }, (_, index) => ask(String(index)));
      const late = ask('late');
      timeout.abort();
      const error: unknown = await late.catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(ImagesBusyError);
      expect(error).toMatchObject({ status: 503, failure: 'fallover', retryAfterMs: 1000 });
      for (const finish of open) finish();
      await Promise.all(all);
    });

    it('lets nobody wait who has left, or whose images are there already', async () => {
      const { open, ask } = setUp();
      const request = new AbortController();
      const first = ask('first', request.signal);
      await turns();
      open[0]?.();
      await first;
      const all = Array.from({ length: 16 }, (_, index) => ask(String(index)));
      expect(await ask('first', request.signal)).toHaveLength(2);
      const left = ask('left', request.signal);
      request.abort(new Error('gone'));
      await expect(left).rejects.toThrow('gone');
      for (const finish of open) finish();
      await Promise.all(all);
      expect(open).toHaveLength(17);
    });
  });

  it.each<[string, Partial<OutboundAnswer> | Error, string]>([
    ['a page that is not there', { status: 404 }, 'answered 404'],
    ['what is no image', { body: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>') }, 'no PNG'],
    ['a broken connection', new Error('connect ECONNREFUSED 10.0.0.7:80'), 'could not be downloaded'],
    ['a redirect without an end', { status: 302, headers: { location: '/a.png' } }, 'more than 3 redirects'],
    ['a redirect without a place', { status: 302 }, 'answered 302'],
  ])('refuses %s and names the field', async (_case, answer, reason) => {
    const { loader } = loaderOf({ 'https://example.com/a.png': answer });
    const error = await loader
      .inline(user('https://example.com/a.png'), signal)
      .catch((thrown: unknown) => thrown as Error);
    expect(error).toMatchObject({ status: 400, param: 'messages[1].content[1].image_url.url' });
    expect((error as Error).message).toContain(reason);
    expect((error as Error).message).not.toContain('10.0.0.7');
  });

  describe('over the network', () => {
    const asked: string[] = [];
    const server = createServer((request: IncomingMessage, response: ServerResponse) => {
      asked.push(request.url ?? '');
      if (request.url === '/a.png') response.end(PNG);
      else if (request.url?.startsWith('/big')) response.end(BIG);
      else if (request.url === '/moved') response.writeHead(302, { location: '/a.png' }).end();
      else response.writeHead(307, { location: 'http://169.254.169.254/latest/meta-data' }).end();
    });
    let base = '';
    let loader: PromptLoader;
    beforeAll(async () => {
      const host = `127.0.0.1:${await listen(server)}`;
      base = `http://${host}`;
      loader = using(new ImageLoader(new OutboundClient({ allowedHosts: [host], isHttpAllowed: true })));
    });
    afterAll(async () => {
      await loader.close();
      await new Promise((resolve) => server.close(resolve));
    });
    beforeEach(() => void asked.splice(0));

    it('takes images up to the bound together, whichever comes first', async () => {
      expect(await loader.inline(user(`${base}/big1`), new AbortController().signal)).toHaveLength(2);
      const run = loader.inline(user(`${base}/big1`, `${base}/big2`), new AbortController().signal);
      await expect(run).rejects.toMatchObject({
        message: expect.stringContaining(`${MAX_IMAGE_BYTES} bytes together`) as string,
      });
    });

    it('follows redirects to allowed places', async () => {
      const [, message] = await loader.inline(user(`${base}/moved`), signal);
      expect(message?.content[1]).toEqual(inlined(PNG, 'image/png'));
      expect(asked).toEqual(['/moved', '/a.png']);
    });

    it('checks the place of every redirect anew', async () => {
      const run = loader.inline(user(`${base}/metadata`), signal);
      await expect(run).rejects.toMatchObject({
        message: expect.stringContaining('not a public address') as string,
      });
    });

    it('asks nobody on a private address by default', async () => {
      const strict = using(new ImageLoader());
      for (const host of ['127.0.0.1', 'localhost', '10.0.0.1', '[::1]', '2130706433']) {
        await expect(strict.inline(user(`http://${host}/a.png`), signal)).rejects.toMatchObject({
          message: expect.stringContaining('not a public address') as string,
        });
      }
      await strict.close();
      expect(asked).toEqual([]);
    });
  });
});

describe(imageType.name, () => {
  it.each([
    ['image/png', '\x89PNG\r\n\x1a\n'],
    ['image/jpeg', '\xff\xd8\xff\xe0'],
    ['image/gif', 'GIF89a'],
    ['image/webp', 'RIFF\x10\x00\x00\x0aWEBPVP8 '],
    ['image/heic', '\x00\x00\x00\x18ftypheic'],
    ['image/heif', '\x00\x00\x00\x18ftypmif1'],
    ['image/avif', '\x00\x00\x00\x18ftypavif'],
    [undefined, '<svg'],
    [undefined, 'RIFF\x10\x00\x00\x00WAVE'],
    [undefined, ''],
  ])('knows %s by its first bytes', (expected, bytes) => {
    expect(imageType(Buffer.from(bytes, 'latin1'))).toBe(expected);
  });
});
