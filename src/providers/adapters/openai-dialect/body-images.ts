import { type ChatBody, type ChatMessage, type ContentPart, isImagePart } from '../../../common/index';
import type { ImageData } from '../images/image-downloads';
import type { ImageLoader, WantedImage } from '../images/image-loader';

/**
 * The body with the images it names by http(s) URL in it, as `data:` URLs; the same object when there are none.
 * @throws as `ImageLoader.load`
 */
export async function inlineImages(
  body: ChatBody,
  loader: ImageLoader,
  signal: AbortSignal,
): Promise<ChatBody> {
  const wanted = body.messages.flatMap(imagesOf);
  if (wanted.length === 0) return body;
  const images = await loader.load(wanted, signal);
  return { ...body, messages: body.messages.map((message) => withImages(message, images)) };
}

function imagesOf({ content }: ChatMessage, at: number): readonly WantedImage[] {
  return partsOf(content).flatMap((part, index) => {
    const url = imageUrl(part);
    return url === undefined ? [] : [{ url, field: `messages[${at}].content[${index}].image_url.url` }];
  });
}

function withImages(message: ChatMessage, images: ReadonlyMap<string, ImageData>): ChatMessage {
  const parts = partsOf(message.content);
  if (!parts.some((part) => imageUrl(part) !== undefined)) return message;
  return { ...message, content: parts.map((part) => withImage(part, images)) };
}

function withImage(part: ContentPart, images: ReadonlyMap<string, ImageData>): ContentPart {
  const image = images.get(imageUrl(part) ?? '');
  if (!image) return part;
  const url = `data:${image.mediaType};base64,${image.base64}`;
  return { ...part, image_url: { ...part.image_url, url } };
}

function partsOf(content: ChatMessage['content']): readonly ContentPart[] {
  return typeof content === 'object' && content !== null ? content : [];
}

function imageUrl(part: ContentPart): string | undefined {
  const url: unknown = isImagePart(part) ? part.image_url?.url : undefined;
  return typeof url === 'string' && /^https?:/i.test(url) ? url : undefined;
}
