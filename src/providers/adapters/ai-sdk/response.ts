import type { LanguageModelV4Content, LanguageModelV4GenerateResult } from '@ai-sdk/provider';
import type { JsonObject } from '../../../common/index';
import type { AttemptReport } from '../../provider.port';
import { matchedStop, openAiFinishReason } from './finish-reason';
import { openAiUsage } from './usage';

/** The ids every object of one answer carries. */
export interface AnswerIdentity {
  readonly id: string;
  readonly model: string;
  /** Seconds since the epoch. */
  readonly created: number;
}

/** The result of a whole answer as a chat.completion object. Reasoning stands in `reasoning_content`. */
export function chatCompletion(
  result: LanguageModelV4GenerateResult,
  report: AttemptReport,
  identity: AnswerIdentity,
): JsonObject {
  const { content } = result;
  const text = result.structuredOutputText ?? joined(content, 'text');
  const reasoning = joined(content, 'reasoning');
  const toolCalls = content.filter((part) => part.type === 'tool-call' && !part.providerExecuted);
  return {
    id: identity.id,
    object: 'chat.completion',
    created: identity.created,
    model: identity.model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: text || (toolCalls.length > 0 ? null : ''),
          refusal: null,
          ...(reasoning && { reasoning_content: reasoning }),
          ...(toolCalls.length > 0 && { tool_calls: toolCalls.flatMap(toolCall) }),
        },
        logprobs: null,
        finish_reason: openAiFinishReason(report.finishReason),
        ...matchedStop(result.providerMetadata),
      },
    ],
    usage: openAiUsage(report.usage),
  };
}

function joined(content: readonly LanguageModelV4Content[], type: 'text' | 'reasoning'): string {
  return content.map((part) => (part.type === type && 'text' in part ? part.text : '')).join('');
}

function toolCall(part: LanguageModelV4Content): JsonObject[] {
  if (part.type !== 'tool-call') return [];
  return [
    {
      id: part.toolCallId,
      type: 'function',
      function: { name: part.toolName, arguments: part.input || '{}' },
    },
  ];
}

/** What is written on every chunk and report when the provider said nothing better. */
export function identityOf(
  response: { id?: string; modelId?: string } | undefined,
  fallback: AnswerIdentity,
) {
  return { ...fallback, id: response?.id ?? fallback.id, model: response?.modelId ?? fallback.model };
}
