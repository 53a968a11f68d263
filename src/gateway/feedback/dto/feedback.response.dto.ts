import { ApiProperty } from '@nestjs/swagger';
import { TASK_TYPES, type TaskType, toApiId } from '../../../common/index';
import type { Feedback } from '../../../scoring/index';

export class FeedbackDto {
  @ApiProperty({ type: String, example: 'out_0192f0c1a2b37c4d8e5f60718293a4b5' })
  id: string;

  @ApiProperty({ type: String, example: 'req_0192f0c1a2b37c4d8e5f60718293a4b5' })
  requestId: string;

  @ApiProperty({ minimum: 0, maximum: 1, example: 0.9 })
  score: number;

  @ApiProperty({ type: String, nullable: true, example: 'Short and to the point' })
  comment: string | null;

  @ApiProperty({
    type: String,
    example: 'openai/gpt-4o-mini',
    description: 'Who answered: of several attempts, the one whose answer you got',
  })
  model: string;

  @ApiProperty({
    type: String,
    example: 'gpt-4o-mini',
    description: 'What routing learns it of: the same model, whoever sells it',
  })
  baseModel: string;

  @ApiProperty({ enum: TASK_TYPES, enumName: 'TaskType', example: 'SUMMARIZATION' })
  taskType: TaskType;

  @ApiProperty({ type: String, format: 'date-time' })
  createdAt: string;

  static from({ comment, createdAt, ...feedback }: Feedback): FeedbackDto {
    const { id, requestId, score, model, baseModel, taskType } = feedback;
    return {
      id: toApiId('out', id),
      requestId: toApiId('req', requestId),
      score,
      comment: comment ?? null,
      model,
      baseModel,
      taskType,
      createdAt: createdAt.toISOString(),
    };
  }
}
