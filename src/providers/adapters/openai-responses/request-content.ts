/** Content of OpenAI's chat dialect as content of its Responses API. What is not known here goes on as it stands. */
import type { ChatMessage, ContentPart, JsonObject, JsonValue } from '../../../common/index';

type Content = ChatMessage['content'];

/** Of users, of those who instruct, and of tools. */
export function inputContent(content: Content): JsonValue {
  return content === undefined || content === null || typeof content === 'string'
    ? (content ?? '')
    : content.map(inputPart);
}

/** What a model said before, undefined where it said nothing. */
export function outputContent({ content, refusal }: ChatMessage): JsonValue | undefined {
  const refused = typeof refusal === 'string' && refusal !== '' ? [{ type: 'refusal', refusal }] : [];
  if (typeof content === 'string' && content !== '' && refused.length === 0) return content;
  const said = typeof content === 'string' ? textParts(content) : (content ?? []).map(outputPart);
  const parts = [...said, ...refused];
  return parts.length > 0 ? parts : undefined;
}

function textParts(text: string): JsonObject[] {
  return text === '' ? [] : [{ type: 'output_text', text }];
}

function outputPart(part: ContentPart): JsonObject {
  return part.type === 'text' ? { ...part, type: 'output_text' } : part;
}

function inputPart(part: ContentPart): JsonObject {
  switch (part.type) {
    case 'text':
      return { ...part, type: 'input_text' };
    case 'image_url': {
      const { image_url: image, ...rest } = part;
      const { url, ...more } = image ?? {};
      return { ...rest, type: 'input_image', image_url: url, ...more };
    }
    case 'file': {
      const { file, ...rest } = part as ContentPart & { readonly file?: JsonObject };
      return { ...rest, type: 'input_file', ...file };
    }
    default:
      return part;
  }
}
