/** What a message carries beside text: images and files, as far as the request itself tells. */
import type { InputModality } from '../catalog/index';
import { type ContentPart, isImagePart, isJsonObject, type JsonObject } from '../common/index';

type Modality = Exclude<InputModality, 'text'>;

const MEDIA = ['image', 'audio', 'video'] as const;
const MEDIA_PREFIX_CHARS = 12;

const ESTIMATED_TOKENS_PER_IMAGE = 1_000;
const TOKENS_PER_PAGE = 2_000;
const BYTES_PER_PAGE = 100_000;
const BYTES_PER_MEDIA_TOKEN = 600;

/** Adds up what all parts of a conversation carry. */
export class Attachments {
  readonly counts: Record<Modality, number> = { image: 0, document: 0, audio: 0, video: 0 };
  /** How much of the body is their data, which no model reads as text. */
  dataBytes = 0;
  estimatedImageTokens = 0;
  estimatedFileTokens = 0;

  /** Files are all but images. */
  get hasFiles(): boolean {
    const { document, audio, video } = this.counts;
    return document + audio + video > 0;
  }

  /** A part may hold several things; an adapter reads the first that it knows. */
  addFrom(part: ContentPart): void {
    const { file, input_audio: audio } = part;
    if (isImagePart(part)) this.add('image', dataUrlBytes(imageUrl(part)));
    if (isJsonObject(audio)) this.add('audio', lengthOf(audio.data));
    if (isJsonObject(file)) this.add(modalityOf(file), lengthOf(file.file_data));
  }

  /** @param dataBytes 0 for what is only named. */
  private add(modality: Modality, dataBytes: number): void {
    this.counts[modality] += 1;
    this.dataBytes += dataBytes;
    if (modality === 'image') this.estimatedImageTokens += ESTIMATED_TOKENS_PER_IMAGE;
    else this.estimatedFileTokens += estimatedTokens(modality, dataBytes);
  }
}

/**
 * How many prompt tokens a file takes, by published figures; nothing here opens it. A page of a PDF is 1,500 to 3,000 tokens
 * at Anthropic (docs "PDF support"), its text and an image of it at OpenAI ("File inputs"), 258 and more at Google
 * ("Document understanding"): 2,000 for every 100 KB of base64. Google counts 32 tokens for a second of sound and about
 * 300 for one of film ("Understand and count tokens"): at common bit rates one for 600 bytes of base64.
 */
function estimatedTokens(modality: Exclude<Modality, 'image'>, dataBytes: number): number {
  return modality === 'document'
    ? TOKENS_PER_PAGE * Math.max(1, Math.ceil(dataBytes / BYTES_PER_PAGE))
    : Math.ceil(dataBytes / BYTES_PER_MEDIA_TOKEN);
}

/** By its media type; what none is known of, such as a file that the provider keeps, is a document. */
function modalityOf({ file_data: data }: JsonObject): Modality {
  const start = typeof data === 'string' ? data.slice(0, MEDIA_PREFIX_CHARS).toLowerCase() : '';
  return MEDIA.find((media) => start.startsWith(`data:${media}/`)) ?? 'document';
}

/** `image_url` is an object in chat completions and a plain string in `input_image` parts. */
function imageUrl(part: ContentPart): unknown {
  const value: unknown = part.image_url;
  return isJsonObject(value) ? value.url : value;
}

/** The address of an image elsewhere is text that goes along. */
function dataUrlBytes(url: unknown): number {
  return typeof url === 'string' && url.startsWith('data:') ? url.length : 0;
}

function lengthOf(data: unknown): number {
  return typeof data === 'string' ? data.length : 0;
}
