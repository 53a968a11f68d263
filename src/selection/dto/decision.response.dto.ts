import { ApiProperty } from '@nestjs/swagger';
import type { JsonObject } from '../../common/index';

export class DecisionResponseDto {
  @ApiProperty({ example: 'dec_0199a1b2c3d47e5f8a9b0c1d2e3f4a5b' })
  readonly id: string;

  @ApiProperty({ example: 'req_0199a1b2c3d47e5f8a9b0c1d2e3f4a5b' })
  readonly requestId: string;

  @ApiProperty({ format: 'date-time', example: '2026-11-20T10:15:00.000Z' })
  readonly createdAt: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description:
      'What was asked, the task and its features, the top candidates with their price versions and factor scores (in the order capability, context, speed, cost), how many ' +
      'models each constraint removed, and the versions of what decided. Never the prompt.',
    example: {
      asked: { model: 'auto' },
      strategy: 'auto',
      task: { type: 'CODE_GENERATION', confidence: 0.71, source: 'patterns', patterns: ['code.make_thing'] },
      candidates: [{ model: 'openai/gpt-6.1-sol', price: 12, score: 0.771, factors: [0.82, 1, 0.6, 0.35] }],
      filtered: { unavailable: 31, retired: 6 },
    },
  })
  readonly decision: JsonObject;
}
