import type {
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4ToolResultPart,
} from '@ai-sdk/provider';

/**
 * Tool calls and their results as plain text. Bedrock refuses them in a request without tools, and the library would
 * drop them: the model would answer without what the tools had said.
 */
export function withToolTalkAsText(prompt: LanguageModelV4Prompt, warnings: string[]): LanguageModelV4Prompt {
  if (!prompt.some(hasToolTalk)) return prompt;
  warnings.push(
    'messages: earlier tool calls and results were sent as text, because the request has no tools',
  );
  return prompt.map(asText);
}

function hasToolTalk({ content }: LanguageModelV4Message): boolean {
  return (
    typeof content !== 'string' && content.some(({ type }) => type === 'tool-call' || type === 'tool-result')
  );
}

function asText(message: LanguageModelV4Message): LanguageModelV4Message {
  if (message.role === 'tool') {
    return {
      role: 'user',
      content: message.content.flatMap((part) => (part.type === 'tool-result' ? resultText(part) : [])),
      providerOptions: message.providerOptions,
    };
  }
  if (message.role !== 'assistant') return message;
  return {
    ...message,
    content: message.content.map((part) =>
      part.type === 'tool-call'
        ? {
            type: 'text',
            text: `[Call ${part.toolCallId} of ${part.toolName}: ${JSON.stringify(part.input)}]`,
          }
        : part,
    ),
  };
}

type UserPart = Extract<LanguageModelV4Message, { role: 'user' }>['content'][number];

function resultText({ toolCallId, toolName, output }: LanguageModelV4ToolResultPart): UserPart[] {
  const head = `[Result ${toolCallId} of ${toolName}]`;
  if (output.type === 'text') return [{ type: 'text', text: `${head} ${output.value}` }];
  if (output.type !== 'content') return [{ type: 'text', text: head }];
  const parts = output.value.filter((part) => part.type === 'text' || part.type === 'file');
  return [{ type: 'text', text: head }, ...parts];
}
