import { ApiProperty } from '@nestjs/swagger';
import type { JsonObject } from '../../common/index';

const EXAMPLE = {
  asked: { model: 'auto', quality: 0.95 },
  strategy: 'auto',
  target: { quality: 0.95, source: 'request', best: 0.884, threshold: 0.84 },
  candidates: [
    {
      model: 'openai/gpt-6.1-terra',
      price: 12,
      score: 0.771,
      factors: [0.82, 1, 0.6, 0.35, 1],
      prior: 0.03,
      quality: 0.851,
      costPico: 2_150_000_000,
    },
  ],
  alternatives: {
    best: { model: 'openai/gpt-6.1-sol', costPico: 9_100_000_000 },
    cheapest: { model: 'openai/gpt-6-luna', costPico: 310_000_000 },
  },
  filtered: { unavailable: 31, retired: 6, below_target: 4 },
  task: {
    type: 'CODE_GENERATION',
    confidence: 0.71,
    source: 'classifier',
    types: { CODE_GENERATION: 0.71, DEBUGGING: 0.15, GENERAL: 0.08, REASONING: 0.03 },
    secondary: { DEBUGGING: 0.15 },
    patterns: ['code.make_thing'],
  },
  needs: ['tools', 'streaming'],
  features: {
    chars: 240,
    promptTokens: 66,
    boundTokens: 320,
    maxTokens: 500,
    messages: 1,
    tools: 1,
    language: 'en',
    complexity: 0.35,
  },
  providers: ['openai'],
  versions: {
    catalog: 'a1b2c3d4e5f60718',
    prices: 57,
    weights: '0123456789ab',
    guide: '0123456789ab',
    patterns: '0123456789ab',
    classifier: '0123456789ab',
    capabilities: '4',
    performance: '0123456789ab',
  },
};

export class DecisionResponseDto {
  @ApiProperty({ example: 'dec_0199a1b2c3d47e5f8a9b0c1d2e3f4a5b' })
  readonly id: string;

  @ApiProperty({ example: 'req_0199a1b2c3d47e5f8a9b0c1d2e3f4a5b' })
  readonly requestId: string;

  @ApiProperty({ description: 'Whose request it was', example: 'usr_0199a1b2c3d47e5f8a9b0c1d2e3f4a5b' })
  readonly userId: string;

  @ApiProperty({ format: 'date-time', example: '2026-11-20T10:15:00.000Z' })
  readonly createdAt: string;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The chosen one',
    example: 'openai/gpt-6.1-terra',
  })
  readonly model: string | null;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: [
      'What was asked and by whom it might be answered; what of the prompt is known (never the prompt); what was chosen, and why. Fields that say nothing are left out.',
      '- `candidates`: the chosen model and its fallbacks, with price versions, scores, expected quality (0..1) and expected cost (`costPico`, pico-USD, an estimate; null: unknown); of the first three also the factor scores, in the order capability, context, speed, cost, health',
      '- `target`: the quality target that decided in place of the strategy',
      '- `alternatives`: of all models that could serve the request, the one of the best expected quality and the cheapest',
      '- `filtered`: how many models each reason removed',
      '- `task.types`: the probabilities of the local classifier; `task.sketch`: hashes of its first words, each of which stands for many; `task.semantic`: what a model said that was asked besides',
      '- `weights`: the owner’s own, in the order capability, context, speed, cost; absent: the installation’s',
      '- `experiment`: the arm that the request was given',
      '- `allowed`: what the key was restricted to; a long list by its digest',
      '- `versions`: of everything that decided',
    ].join('\n'),
    example: EXAMPLE,
  })
  readonly decision: JsonObject;
}

export class DecisionPageDto {
  @ApiProperty({ type: [DecisionResponseDto] })
  readonly data: readonly DecisionResponseDto[];

  @ApiProperty({ type: String, nullable: true, example: null })
  readonly nextCursor: string | null;
}
