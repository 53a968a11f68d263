import type {
  LanguageModelV4FilePart,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4ToolResultPart,
} from '@ai-sdk/provider';
import { OutboundClient } from '../../../common/index';
import { type ImageData, ImageDownloads } from './image-downloads';
import { invalidRequest } from './invalid-request';

/** For all images of one prompt together. */
const TIMEOUT_MS = 15_000;
const PARALLEL = 4;

type ToolOutputPart = Extract<LanguageModelV4ToolResultPart['output'], { type: 'content' }>['value'][number];
type AnyPart = ToolOutputPart | LanguageModelV4FilePart | { readonly type: 'text' };

/** An image and the caller's field that names it. */
interface Wanted {
  readonly url: string;
  readonly field: string;
}

/**
 * Puts the bytes of images that a prompt names by http(s) URL into the prompt, for providers that fetch nothing
 * themselves. Only public addresses are asked, and those that the administrator allows, redirects included; what the
 * bytes are decides the type, not a header. One loader serves all adapters: a request brings its images with it from
 * one attempt to the next.
 */
export class ImageLoader {
  /** By the signal of the request, which all its attempts share. */
  readonly #downloads = new WeakMap<AbortSignal, ImageDownloads>();

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
    const wanted = prompt.flatMap((message, index) => imagesOf(message, `messages[${index}]`));
    if (wanted.length === 0) return prompt;
    const images = await this.#load(wanted, this.#downloadsOf(signal));
    return prompt.map((message) => withImages(message, images));
  }

  close(): Promise<void> {
    return this.outbound.close();
  }

  #downloadsOf(signal: AbortSignal): ImageDownloads {
    const known = this.#downloads.get(signal) ?? new ImageDownloads(this.outbound, signal);
    this.#downloads.set(signal, known);
    return known;
  }

  /** A few at a time; the first that cannot be had ends it. */
  async #load(wanted: readonly Wanted[], downloads: ImageDownloads): Promise<ReadonlyMap<string, ImageData>> {
    const endsAt = performance.now() + TIMEOUT_MS;
    const images = new Map<string, ImageData>();
    const queue = wanted.values();
    let hasFailed = false;
    const work = async (): Promise<void> => {
      for (const { url, field } of queue) {
        const image = await downloads.load(url, endsAt);
        hasFailed ||= 'reason' in image;
        if ('reason' in image) throw invalidRequest(field, image.reason);
        if (hasFailed) return;
        images.set(url, image);
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
    return images;
  }
}

function imagesOf(message: LanguageModelV4Message, path: string): readonly Wanted[] {
  const wanted = (parts: readonly AnyPart[]): Wanted[] =>
    parts.flatMap((part, index) => {
      const url = imageUrl(part);
      return url ? [{ url, field: `${path}.content[${index}].image_url.url` }] : [];
    });
  if (message.role === 'user') return wanted(message.content);
  if (message.role !== 'tool') return [];
  return message.content.flatMap((part) =>
    part.type === 'tool-result' && part.output.type === 'content' ? wanted(part.output.value) : [],
  );
}

function withImages(
  message: LanguageModelV4Message,
  images: ReadonlyMap<string, ImageData>,
): LanguageModelV4Message {
  const filled = <Part extends AnyPart>(parts: readonly Part[]): Part[] =>
    parts.map((part) => ({ ...part, ...images.get(imageUrl(part) ?? '') }));
  if (message.role === 'user') return { ...message, content: filled(message.content) };
  if (message.role !== 'tool') return message;
  return {
    ...message,
    content: message.content.map((part) =>
      part.type === 'tool-result' && part.output.type === 'content'
        ? { ...part, output: { ...part.output, value: filled(part.output.value) } }
        : part,
    ),
  };
}

function imageUrl(part: AnyPart): string | undefined {
  const { data } = part as Partial<LanguageModelV4FilePart>;
  return part.type === 'file' && data?.type === 'url' ? data.url.href : undefined;
}
