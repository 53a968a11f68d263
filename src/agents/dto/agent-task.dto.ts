import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsInt,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateBy,
} from 'class-validator';
import { IfPresent, isJsonObject, type JsonObject } from '../../common/index';
import {
  AGENT_TYPE,
  type AgentTask,
  DEFAULT_TASK_PRIORITY,
  DEFAULT_TASK_TOKENS,
  MAX_MODEL_NAME,
  MAX_TASK_DESCRIPTION,
  MAX_TASK_ITEM,
  MAX_TASK_ITEMS,
  MAX_TASK_METADATA,
  MAX_TASK_PRIORITY,
  MAX_TASK_TITLE,
  MAX_TASK_TOKENS,
} from '../agent';

const Texts = (description: string, example: readonly string[]): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: [String], maxItems: MAX_TASK_ITEMS, default: [], example, description }),
    IfPresent(),
    IsArray(),
    ArrayMaxSize(MAX_TASK_ITEMS),
    IsString({ each: true }),
    Length(1, MAX_TASK_ITEM, { each: true }),
  );

/** Everything about a task but who shall do it. */
export class TaskFieldsDto {
  @ApiProperty({
    type: String,
    minLength: 1,
    maxLength: MAX_TASK_TITLE,
    example: 'Write the release notes',
  })
  @IsString()
  @Length(1, MAX_TASK_TITLE)
  @Matches(/\S/, { message: 'title must hold more than blanks' })
  title: string;

  @ApiPropertyOptional({
    type: String,
    maxLength: MAX_TASK_DESCRIPTION,
    default: '',
    example: 'Version 2.1 adds projects: plans, approval and tasks that survive a crash. Half a page.',
  })
  @IfPresent()
  @IsString()
  @MaxLength(MAX_TASK_DESCRIPTION)
  description?: string;

  @Texts('What shall be there in the end.', ['Release notes in Markdown'])
  deliverables?: string[];

  @Texts('How one sees that it is good.', ['Names every new feature', 'No marketing words'])
  successCriteria?: string[];

  @ApiPropertyOptional({
    type: String,
    minLength: 1,
    maxLength: MAX_MODEL_NAME,
    example: 'auto',
    description: 'In the place of the agent’s own model.',
  })
  @IfPresent()
  @IsString()
  @Length(1, MAX_MODEL_NAME)
  @Matches(/^\S+$/, { message: 'model must be the name of a model, without blanks' })
  model?: string;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    default: {},
    example: { version: '2.1' },
    description: `Anything else that the agent shall know; at most ${MAX_TASK_METADATA} characters of JSON.`,
  })
  @IfPresent()
  // As it was sent: it has no class, and may be nested.
  @Transform(({ obj }: { obj: { metadata?: unknown } }) => obj.metadata)
  @IsMetadata()
  metadata?: JsonObject;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: MAX_TASK_TOKENS,
    default: DEFAULT_TASK_TOKENS,
    description: 'Of one answer. The agent’s own limit holds, too.',
  })
  @IfPresent()
  @IsInt()
  @Min(1)
  @Max(MAX_TASK_TOKENS)
  maxTokens?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: MAX_TASK_PRIORITY,
    default: DEFAULT_TASK_PRIORITY,
    description: 'Higher ones come first.',
  })
  @IfPresent()
  @IsInt()
  @Min(0)
  @Max(MAX_TASK_PRIORITY)
  priority?: number;

  static withAgent(body: TaskFieldsDto, agent: string): AgentTask {
    return {
      title: body.title,
      description: body.description ?? '',
      deliverables: body.deliverables ?? [],
      successCriteria: body.successCriteria ?? [],
      agent,
      model: body.model,
      metadata: body.metadata ?? {},
      maxTokens: body.maxTokens ?? DEFAULT_TASK_TOKENS,
      priority: body.priority ?? DEFAULT_TASK_PRIORITY,
    };
  }
}

/** One piece of work for an agent. */
export class AgentTaskDto extends TaskFieldsDto {
  @ApiProperty({
    type: String,
    pattern: AGENT_TYPE.source,
    example: 'writer',
    description: 'Type of the agent: GET /api/v1/agents lists them.',
  })
  @Matches(AGENT_TYPE, { message: 'agent must be a type of agent, such as writer' })
  agent: string;

  static task(body: AgentTaskDto): AgentTask {
    return TaskFieldsDto.withAgent(body, body.agent);
  }
}

function IsMetadata(): PropertyDecorator {
  return ValidateBy({
    name: 'isMetadata',
    validator: {
      validate: (value: unknown) => isJsonObject(value) && JSON.stringify(value).length <= MAX_TASK_METADATA,
      defaultMessage: () => `$property must be an object of at most ${MAX_TASK_METADATA} characters of JSON`,
    },
  });
}
