/** Images that a prompt names by URL, put into it. */
import type {
  LanguageModelV4FilePart,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4ToolResultPart,
} from '@ai-sdk/provider';
import type { ImageData } from '../images/image-downloads';
import type { ImageLoader, WantedImage } from '../images/image-loader';

type ToolOutputPart = Extract<LanguageModelV4ToolResultPart['output'], { type: 'content' }>['value'][number];
type AnyPart = ToolOutputPart | LanguageModelV4FilePart | { readonly type: 'text' };

/**
 * @param prompt whose messages stand where the caller's stood: errors name the caller's field by them.
 * @throws as `ImageLoader.load`
 */
export async function inlineImages(
  prompt: LanguageModelV4Prompt,
  loader: ImageLoader,
  signal: AbortSignal,
): Promise<LanguageModelV4Prompt> {
  const wanted = prompt.flatMap((message, index) => imagesOf(message, `messages[${index}]`));
  if (wanted.length === 0) return prompt;
  const images = await loader.load(wanted, signal);
  return prompt.map((message) => withImages(message, images));
}

function imagesOf(message: LanguageModelV4Message, path: string): readonly WantedImage[] {
  const wanted = (parts: readonly AnyPart[]): WantedImage[] =>
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
    parts.map((part) => {
      const image = images.get(imageUrl(part) ?? '');
      if (!image) return part;
      return { ...part, mediaType: image.mediaType, data: { type: 'data', data: image.base64 } };
    });
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
