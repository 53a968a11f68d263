/** What a Bedrock model id says of its model: `[region.]maker.model`; Claude's abilities are the library's knowledge. */

const CLAUDE = /anthropic\.claude/;
const NOVA = /amazon\.nova/;
const NOVA_2 = /amazon\.nova-2/;
const OPENAI = /(?:^|\.)openai\./;

export type BedrockFamily = 'claude' | 'nova' | 'nova 2' | 'openai' | 'other';

export function familyOf(upstreamId: string): BedrockFamily {
  if (CLAUDE.test(upstreamId)) return 'claude';
  if (NOVA_2.test(upstreamId)) return 'nova 2';
  if (NOVA.test(upstreamId)) return 'nova';
  return OPENAI.test(upstreamId) ? 'openai' : 'other';
}

/** Of a Claude model. */
export interface ClaudeAbilities {
  /** It takes an effort; older ones take a budget of tokens. */
  readonly supportsAdaptiveThinking: boolean;
  readonly supportsXhighEffort: boolean;
  readonly rejectsSamplingParameters: boolean;
}

export async function claudeAbilities(upstreamId: string): Promise<ClaudeAbilities | undefined> {
  if (familyOf(upstreamId) !== 'claude') return undefined;
  const { getModelCapabilities } = await import('@ai-sdk/anthropic/internal');
  return getModelCapabilities(upstreamId);
}
