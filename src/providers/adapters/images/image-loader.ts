import { OutboundClient, Turnstile } from '../../../common/index';
import { type ErrorType, ServiceUnavailableError } from '../../../errors/index';
import { invalidRequest } from '../ai-sdk/invalid-request';
import { type ImageData, ImageDownloads } from './image-downloads';

/** For all images of one prompt together, waiting included. */
const TIMEOUT_MS = 15_000;
/** Of one request. */
const PARALLEL = 4;
/** Of the process: each may hold `MAX_IMAGE_BYTES`, 320 MiB in all. */
const REQUESTS_AT_ONCE = 16;
const REQUESTS_WAITING = 1000;

/** An image and the caller's field that names it. */
export interface WantedImage {
  readonly url: string;
  readonly field: string;
}

/** Nothing was sent. A provider that fetches images itself may still take the request. */
export class ImagesBusyError extends ServiceUnavailableError {
  override readonly type: ErrorType = 'overloaded_error';
  override readonly failure = 'fallover';

  constructor() {
    super(
      'Too many images are being downloaded at the moment: send the request again, or with its images as data: URLs',
    );
  }
}

/**
 * Downloads the images that a prompt names by http(s) URL, for providers that fetch nothing themselves. Only public
 * addresses are asked, and those that the administrator allows, redirects included; what the bytes are decides the type,
 * not a header. One loader serves all adapters: a request brings its images with it from one attempt to the next.
 */
export class ImageLoader {
  /** By the signal of the request, which all its attempts share. */
  readonly #downloads = new WeakMap<AbortSignal, ImageDownloads>();
  readonly #turnstile = new Turnstile(REQUESTS_AT_ONCE, REQUESTS_WAITING);

  constructor(
    private readonly outbound: Pick<OutboundClient, 'send' | 'close'> = new OutboundClient({
      allowedHosts: [],
      isHttpAllowed: true,
    }),
  ) {}

  /**
   * By their URLs.
   * @throws ValidationError naming the image that cannot be had, ImagesBusyError, or the signal's reason.
   */
  async load(wanted: readonly WantedImage[], signal: AbortSignal): Promise<ReadonlyMap<string, ImageData>> {
    const endsAt = performance.now() + TIMEOUT_MS;
    const downloads = this.#downloadsOf(signal);
    const load = (): Promise<ReadonlyMap<string, ImageData>> => loadAll(wanted, downloads, endsAt);
    if (wanted.every(({ url }) => downloads.has(url))) return await load();
    const patience = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const images = await this.#turnstile.run(load, patience);
    signal.throwIfAborted();
    if (!images) throw new ImagesBusyError();
    return images;
  }

  close(): Promise<void> {
    return this.outbound.close();
  }

  #downloadsOf(signal: AbortSignal): ImageDownloads {
    const known = this.#downloads.get(signal) ?? new ImageDownloads(this.outbound, signal);
    this.#downloads.set(signal, known);
    return known;
  }
}

/** A few at a time; the first that cannot be had ends it. */
async function loadAll(
  wanted: readonly WantedImage[],
  downloads: ImageDownloads,
  endsAt: number,
): Promise<ReadonlyMap<string, ImageData>> {
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
