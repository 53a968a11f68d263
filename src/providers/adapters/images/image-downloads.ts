import {
  type ByteBudget,
  type OutboundAnswer,
  type OutboundClient,
  OutboundUrlError,
} from '../../../common/index';
import { imageType } from './image-type';

/** Of all images of one request together. */
export const MAX_IMAGE_BYTES = 20 * 1024 * 1024;
const MAX_REDIRECTS = 3;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** An image by its type and its bytes in base64. */
export interface ImageData {
  readonly mediaType: string;
  readonly base64: string;
}
/** The image, or why it cannot be had, in words that are safe to show. */
export type LoadedImage = ImageData | { readonly reason: string };

class Refusal extends Error {}

/** The images of one request: each is downloaded once, however many attempts and rounds ask for it. */
export class ImageDownloads {
  readonly #images = new Map<string, Promise<LoadedImage>>();
  readonly #budget: ByteBudget = { left: MAX_IMAGE_BYTES };

  constructor(
    private readonly outbound: Pick<OutboundClient, 'send'>,
    private readonly signal: AbortSignal,
  ) {}

  has(url: string): boolean {
    return this.#images.has(url);
  }

  /** Never rejects. @param endsAt by `performance.now()`. */
  load(url: string, endsAt: number): Promise<LoadedImage> {
    const known = this.#images.get(url);
    if (known) return known;
    const image = this.#image(url, endsAt).catch((error: unknown) => ({ reason: reasonOf(error) }));
    this.#images.set(url, image);
    return image;
  }

  async #image(url: string, endsAt: number): Promise<ImageData> {
    const { status, body, isCut } = await this.#download(url, endsAt);
    if (status !== 200) throw new Refusal(`the image's server answered ${status}`);
    if (isCut) throw new Refusal(`the images of a request may have ${MAX_IMAGE_BYTES} bytes together`);
    const mediaType = imageType(body);
    if (!mediaType) throw new Refusal('what is there is no PNG, JPEG, WebP, GIF, HEIC or AVIF image');
    return { mediaType, base64: body.toString('base64') };
  }

  async #download(url: string, endsAt: number): Promise<OutboundAnswer> {
    let target = url;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      const answer = await this.outbound.send(target, {
        method: 'GET',
        headers: { accept: 'image/*', 'user-agent': 'lattice' },
        timeoutMs: Math.max(1, Math.ceil(endsAt - performance.now())),
        maxBytes: MAX_IMAGE_BYTES,
        budget: this.#budget,
        signal: this.signal,
      });
      const next = redirectOf(answer, target);
      if (!next) return answer;
      target = next;
    }
    throw new Refusal(`the image is behind more than ${MAX_REDIRECTS} redirects`);
  }
}

/** Why a connection failed would tell the caller about our network. */
function reasonOf(error: unknown): string {
  const isSafe = error instanceof Refusal || error instanceof OutboundUrlError;
  return isSafe ? error.message : 'the image could not be downloaded';
}

function redirectOf({ status, headers }: OutboundAnswer, from: string): string | undefined {
  if (!REDIRECTS.has(status) || typeof headers.location !== 'string') return undefined;
  return URL.parse(headers.location, from)?.href;
}
