import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsInt,
  IsObject,
  IsString,
  Length,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { IfPresent } from '../../common/index';
import {
  AGENT_MODES,
  AGENT_TYPE,
  type AgentMode,
  CAPABILITY,
  DEFAULT_AGENT_LIMITS,
  DEFAULT_AGENT_MODE,
  DEFAULT_AGENT_PROMPT,
  MAX_AGENT_DESCRIPTION,
  MAX_AGENT_PROMPT,
  MAX_AGENT_ROUNDS,
  MAX_AGENT_TIMEOUT_MS,
  MAX_CAPABILITIES,
  MAX_FALLBACK_MODELS,
  MAX_MODEL_NAME,
  MAX_TASK_TOKENS,
  MAX_TOOLS,
  MIN_AGENT_TIMEOUT_MS,
  TOOL_NAME,
} from '../agent';
import type { AgentSettings } from '../agents.repository';
import type { AgentChange } from '../agents.service';

const DESCRIPTION = {
  type: String,
  minLength: 1,
  maxLength: MAX_AGENT_DESCRIPTION,
  example: 'Translates texts and keeps their layout.',
};
const MODEL = {
  type: String,
  minLength: 1,
  maxLength: MAX_MODEL_NAME,
  example: 'auto:cheap',
  description: 'A model, or `auto`, `auto:cheap`, `auto:best` or `auto:fast`. A task can name another one.',
};

const DescriptionRules = (): PropertyDecorator =>
  applyDecorators(
    IsString(),
    Length(1, MAX_AGENT_DESCRIPTION),
    Matches(/\S/, { message: 'description must hold more than blanks' }),
  );
const ModelRules = (each = false): PropertyDecorator =>
  applyDecorators(
    IsString({ each }),
    Length(1, MAX_MODEL_NAME, { each }),
    Matches(/^\S+$/, { each, message: '$property must be names of models, without blanks' }),
  );
const ListRules = (maxItems: number): PropertyDecorator =>
  applyDecorators(IfPresent(), IsArray(), ArrayMaxSize(maxItems), ArrayUnique());
const Bounded = (min: number, max: number, description: string, byDefault: number): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: 'integer', minimum: min, maximum: max, default: byDefault, description }),
    IfPresent(),
    IsInt(),
    Min(min),
    Max(max),
  );

/** What is left out keeps its value, or gets the default. */
export class AgentLimitsRequestDto {
  @Bounded(1, MAX_TASK_TOKENS, 'Tokens of one answer, at most.', DEFAULT_AGENT_LIMITS.maxTokens)
  maxTokens?: number;

  @Bounded(1, MAX_AGENT_ROUNDS, 'Rounds of tool calls in one task, at most.', DEFAULT_AGENT_LIMITS.maxRounds)
  maxRounds?: number;

  @Bounded(
    MIN_AGENT_TIMEOUT_MS,
    MAX_AGENT_TIMEOUT_MS,
    'How long one attempt at a task may take.',
    DEFAULT_AGENT_LIMITS.timeoutMs,
  )
  timeoutMs?: number;
}

/** What may be left out when an agent is made, and all that may be when it is changed. */
class OptionalAgentFields {
  @ApiPropertyOptional({
    type: [String],
    maxItems: MAX_CAPABILITIES,
    example: ['translation'],
    description: 'What it is good at, to find it by.',
  })
  @ListRules(MAX_CAPABILITIES)
  @Matches(CAPABILITY, {
    each: true,
    message: 'each of capabilities must be lower-case letters, digits and hyphens, such as code',
  })
  capabilities?: string[];

  @ApiPropertyOptional({
    type: [String],
    maxItems: MAX_FALLBACK_MODELS,
    example: [],
    description: 'Models to try after the first choice, in this order.',
  })
  @ListRules(MAX_FALLBACK_MODELS)
  @ModelRules(true)
  fallbackModels?: string[];

  @ApiPropertyOptional({
    type: String,
    minLength: 1,
    maxLength: MAX_AGENT_PROMPT,
    example: 'You translate into {{ task.metadata.language | default: "English" }}.\nKeep the layout.',
    description:
      'LiquidJS template of the system message; `task`, `project`, `agent` and `earlier` can be named in it.',
  })
  @IfPresent()
  @IsString()
  @Length(1, MAX_AGENT_PROMPT)
  prompt?: string;

  @ApiPropertyOptional({
    type: [String],
    maxItems: MAX_TOOLS,
    example: ['current_time'],
    description: 'Server-side tools: GET /api/v1/tools lists them.',
  })
  @ListRules(MAX_TOOLS)
  @Matches(TOOL_NAME, { each: true, message: 'each of tools must be the name of a tool' })
  tools?: string[];

  @ApiPropertyOptional({
    enum: AGENT_MODES,
    default: DEFAULT_AGENT_MODE,
    description: '`hybrid`: directly, or by the provider’s script where that is not possible.',
  })
  @IfPresent()
  @IsIn(AGENT_MODES)
  mode?: AgentMode;

  @ApiPropertyOptional({ type: AgentLimitsRequestDto })
  @IfPresent()
  @IsObject()
  @ValidateNested()
  @Type(() => AgentLimitsRequestDto)
  limits?: AgentLimitsRequestDto;
}

export class CreateAgentRequestDto extends OptionalAgentFields {
  @ApiProperty({
    type: String,
    pattern: AGENT_TYPE.source,
    example: 'translator',
    description: 'Names it in tasks; none that is built in.',
  })
  @Matches(AGENT_TYPE, {
    message: 'type must be 1 to 64 lower-case letters, digits and hyphens, such as translator',
  })
  type: string;

  @ApiProperty(DESCRIPTION)
  @DescriptionRules()
  description: string;

  @ApiProperty(MODEL)
  @ModelRules()
  model: string;

  static settings(body: CreateAgentRequestDto): AgentSettings {
    return {
      description: body.description,
      capabilities: body.capabilities ?? [],
      model: body.model,
      fallbackModels: body.fallbackModels ?? [],
      prompt: body.prompt ?? DEFAULT_AGENT_PROMPT,
      tools: body.tools ?? [],
      mode: body.mode ?? DEFAULT_AGENT_MODE,
      limits: { ...DEFAULT_AGENT_LIMITS, ...present(body.limits) },
    };
  }
}

export class UpdateAgentRequestDto extends OptionalAgentFields {
  @ApiPropertyOptional(DESCRIPTION)
  @IfPresent()
  @DescriptionRules()
  description?: string;

  @ApiPropertyOptional(MODEL)
  @IfPresent()
  @ModelRules()
  model?: string;

  static change(body: UpdateAgentRequestDto): AgentChange {
    const { description, capabilities, model, fallbackModels, prompt, tools, mode } = body;
    return {
      ...present({ description, capabilities, model, fallbackModels, prompt, tools, mode }),
      limits: present(body.limits),
    };
  }
}

/** Only what was sent. */
function present<T extends object>(fields: T | undefined): Partial<T> {
  const sent = Object.entries(fields ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(sent) as Partial<T>;
}
