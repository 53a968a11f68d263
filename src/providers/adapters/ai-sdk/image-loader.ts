import type {
  LanguageModelV4FilePart,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4ToolResultPart,
} from '@ai-sdk/provider';
import { OutboundClient, type OutboundAnswer, OutboundUrlError } from '../../../common/index';
import { imageType } from './image-type';
import { invalidRequest } from './invalid-request';

/** Of all images of one request together. */
export const MAX_IMAGE_BYTES = 20 * 1024 * 1024;
/** For all images of one request together. */
const TIMEOUT_MS = 15_000;
const MAX_REDIRECTS = 3;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

type ToolOutputPart = Extract<LanguageModelV4ToolResultPart['output'], { type: 'content' }>['value'][number];

/** What the images of one request have left. */
interface Allowance {
  bytes: number;
  readonly endsAt: number;
  readonly signal: AbortSignal;
}

/**
 * Puts the bytes of images that a prompt names by http(s) URL into the prompt, for providers that fetch nothing
 * themselves. Only public addresses are asked, redirects included; what the bytes are decides the type, not a header.
 */
export class ImageLoader {
  constructor(
    private readonly outbound: Pick<OutboundClient, 'send' | 'close'> = new OutboundClient({
      allowedHosts: [],
      isHttpAllowed: true,
    }),
  ) {}

  /**
   * @param prompt whose messages stand where the caller's stood: errors name the caller's field by them.
   * @throws ValidationError naming the image that cannot be had.
   */
  async inline(prompt: LanguageModelV4Prompt, signal: AbortSignal): Promise<LanguageModelV4Prompt> {
    if (!prompt.some(hasImageUrl)) return prompt;
    const allowance = { bytes: MAX_IMAGE_BYTES, endsAt: performance.now() + TIMEOUT_MS, signal };
    const inlined: LanguageModelV4Prompt = [];
    for (const [index, message] of prompt.entries()) {
      inlined.push(await this.#message(message, `messages[${index}]`, allowance));
    }
    return inlined;
  }

  close(): Promise<void> {
    return this.outbound.close();
  }

  async #message(
    message: LanguageModelV4Message,
    path: string,
    allowance: Allowance,
  ): Promise<LanguageModelV4Message> {
    if (message.role === 'user') {
      return { ...message, content: await this.#parts(message.content, path, allowance) };
    }
    if (message.role !== 'tool') return message;
    const content: typeof message.content = [];
    for (const part of message.content) {
      const output = part.type === 'tool-result' ? part.output : undefined;
      if (part.type !== 'tool-result' || output?.type !== 'content') content.push(part);
      else
        content.push({
          ...part,
          output: { ...output, value: await this.#parts(output.value, path, allowance) },
        });
    }
    return { ...message, content };
  }

  async #parts<Part extends ToolOutputPart | LanguageModelV4FilePart | { readonly type: 'text' }>(
    parts: readonly Part[],
    path: string,
    allowance: Allowance,
  ): Promise<Part[]> {
    const loaded: Part[] = [];
    for (const [index, part] of parts.entries()) {
      const url = imageUrl(part);
      const field = `${path}.content[${index}].image_url.url`;
      loaded.push(url ? { ...part, ...(await this.#image(url, field, allowance)) } : part);
    }
    return loaded;
  }

  async #image(
    url: URL,
    path: string,
    allowance: Allowance,
  ): Promise<Pick<LanguageModelV4FilePart, 'mediaType' | 'data'>> {
    const { status, body, isCut } = await this.#download(url, path, allowance);
    if (status !== 200) throw invalidRequest(path, `the image's server answered ${status}`);
    if (isCut)
      throw invalidRequest(path, `the images of a request may have ${MAX_IMAGE_BYTES} bytes together`);
    const mediaType = imageType(body);
    if (!mediaType)
      throw invalidRequest(path, 'what is there is no PNG, JPEG, WebP, GIF, HEIC or AVIF image');
    allowance.bytes -= body.length;
    return { mediaType, data: { type: 'data', data: body.toString('base64') } };
  }

  async #download(url: URL, path: string, allowance: Allowance): Promise<OutboundAnswer> {
    let target = url.href;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      const answer = await this.#ask(target, path, allowance);
      const next = redirectOf(answer, target);
      if (!next) return answer;
      target = next;
    }
    throw invalidRequest(path, `the image is behind more than ${MAX_REDIRECTS} redirects`);
  }

  async #ask(url: string, path: string, { bytes, endsAt, signal }: Allowance): Promise<OutboundAnswer> {
    try {
      return await this.outbound.send(url, {
        method: 'GET',
        headers: { accept: 'image/*', 'user-agent': 'lattice' },
        timeoutMs: Math.max(1, Math.ceil(endsAt - performance.now())),
        maxBytes: bytes,
        signal,
      });
    } catch (error) {
      // Why a connection failed would tell the caller about our network.
      const reason = error instanceof OutboundUrlError ? error.message : 'the image could not be downloaded';
      throw invalidRequest(path, reason);
    }
  }
}

function hasImageUrl(message: LanguageModelV4Message): boolean {
  if (message.role === 'user') return message.content.some(imageUrl);
  if (message.role !== 'tool') return false;
  return message.content.some(
    (part) =>
      part.type === 'tool-result' && part.output.type === 'content' && part.output.value.some(imageUrl),
  );
}

function imageUrl(part: { readonly type: string }): URL | undefined {
  const { data } = part as Partial<LanguageModelV4FilePart>;
  return part.type === 'file' && data?.type === 'url' ? data.url : undefined;
}

function redirectOf({ status, headers }: OutboundAnswer, from: string): string | undefined {
  if (!REDIRECTS.has(status) || typeof headers.location !== 'string') return undefined;
  return URL.parse(headers.location, from)?.href;
}
