import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional, type ApiPropertyOptions } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsNumber,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { IfPresent, TASK_TYPES, type TaskType } from '../../../common/index';
import { ValidationError } from '../../../errors/index';
import { STRATEGIES, type Strategy } from '../../../scoring/index';
import {
  type ExperimentArm,
  type ExperimentSettings,
  MAX_ARMS,
  MIN_ARMS,
  STICKINESS,
  type Stickiness,
} from '../experiment';

const MAX_NAME = 100;
const MAX_ARM_NAME = 50;
const MAX_WEIGHT = 1_000_000;
const SMALLEST = 0.0001;
const DECIMALS = { allowNaN: false, allowInfinity: false, maxDecimalPlaces: 4 };

/** One line of any characters that can be seen. */
const Title = (max: number): PropertyDecorator =>
  applyDecorators(
    IsString(),
    MaxLength(max),
    Matches(/^(?!\s)[^\p{Cc}\p{Zl}\p{Zp}]+(?<!\s)$/u, {
      message: '$property must be one line of text without blanks around it',
    }),
  );

export class ExperimentArmDto {
  @ApiProperty({ type: String, maxLength: MAX_ARM_NAME, example: 'as it is' })
  @Title(MAX_ARM_NAME)
  name: string;

  @ApiProperty({
    minimum: SMALLEST,
    maximum: MAX_WEIGHT,
    example: 1,
    description: 'The part of the traffic is this weight among all weights.',
  })
  @IsNumber(DECIMALS)
  @Min(SMALLEST)
  @Max(MAX_WEIGHT)
  weight: number;

  @ApiPropertyOptional({ enum: STRATEGIES, description: 'Either this or `model`.', example: 'auto' })
  @IfPresent()
  @IsIn(STRATEGIES)
  strategy?: Strategy;

  @ApiPropertyOptional({
    type: String,
    maxLength: 200,
    description: 'A chat model of the catalog that can be called. Others stand behind it as fallbacks.',
  })
  @IfPresent()
  @IsString()
  @MaxLength(200)
  model?: string;

  @ApiPropertyOptional({
    minimum: SMALLEST,
    maximum: 1,
    description:
      'Beside `strategy`: the cheapest model that is expected to reach this part of the best one’s quality.',
  })
  @IfPresent()
  @IsNumber(DECIMALS)
  @Min(SMALLEST)
  @Max(1)
  quality?: number;
}

const NameField = (): PropertyDecorator => applyDecorators(Title(MAX_NAME));

const ArmsField = (): PropertyDecorator =>
  applyDecorators(
    IsArray(),
    ArrayMinSize(MIN_ARMS),
    ArrayMaxSize(MAX_ARMS),
    ValidateNested({ each: true }),
    Type(() => ExperimentArmDto),
  );

const NAME = { type: String, maxLength: MAX_NAME, example: 'cheap for everybody?' };
const ARMS = {
  type: [ExperimentArmDto],
  minItems: MIN_ARMS,
  maxItems: MAX_ARMS,
  description: 'The others are compared to the first.',
} satisfies ApiPropertyOptions;

class SettingsDto {
  @ApiPropertyOptional({
    enum: STRATEGIES,
    default: 'auto',
    description:
      'Whose requests are split: `auto` means those for the model `auto`, `cheap` those for `auto:cheap`.',
  })
  @IfPresent()
  @IsIn(STRATEGIES)
  strategy?: Strategy;

  @ApiPropertyOptional({
    enum: TASK_TYPES,
    isArray: true,
    nullable: true,
    description: 'Only requests of these types; null: of all.',
  })
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(TASK_TYPES, { each: true })
  taskTypes?: TaskType[] | null;

  @ApiPropertyOptional({
    enum: STICKINESS,
    default: 'key',
    description: 'What keeps its arm. `key`: an API key, or a user who comes without one.',
  })
  @IfPresent()
  @IsIn(STICKINESS)
  stickyBy?: Stickiness;

  @ApiPropertyOptional({
    minimum: 0,
    maximum: 1,
    default: 1,
    description:
      'The part of the traffic that is split; the rest is routed as ever. Raising it moves nobody between arms.',
  })
  @IfPresent()
  @IsNumber(DECIMALS)
  @Min(0)
  @Max(1)
  share?: number;
}

export class CreateExperimentRequestDto extends SettingsDto {
  @ApiProperty(NAME)
  @NameField()
  name: string;

  @ApiProperty(ARMS)
  @ArmsField()
  arms: ExperimentArmDto[];

  /** @throws ValidationError naming the arm that is none. */
  static settings(body: CreateExperimentRequestDto): ExperimentSettings {
    const { name, strategy = 'auto', taskTypes, stickyBy = 'key', share = 1 } = body;
    return { name, strategy, taskTypes: taskTypes ?? undefined, stickyBy, share, arms: armsOf(body.arms) };
  }
}

export class UpdateExperimentRequestDto extends SettingsDto {
  @ApiPropertyOptional(NAME)
  @IfPresent()
  @NameField()
  name?: string;

  @ApiPropertyOptional(ARMS)
  @IfPresent()
  @ArmsField()
  arms?: ExperimentArmDto[];

  /** What was sent, and nothing else. @throws ValidationError naming the arm that is none */
  static change({ arms, taskTypes, ...rest }: UpdateExperimentRequestDto): Partial<ExperimentSettings> {
    const sent = Object.entries(rest).filter(([, value]) => value !== undefined);
    return {
      ...(Object.fromEntries(sent) as Partial<ExperimentSettings>),
      ...(taskTypes === undefined ? {} : { taskTypes: taskTypes ?? undefined }),
      ...(arms === undefined ? {} : { arms: armsOf(arms) }),
    };
  }
}

function armsOf(arms: readonly ExperimentArmDto[]): readonly ExperimentArm[] {
  const names = new Set<string>();
  for (const [index, { name, strategy, model, quality }] of arms.entries()) {
    const at = `arms.${index}`;
    if (names.has(name)) throw refused(`${at}.name`, 'the arms must have different names');
    if ((strategy === undefined) === (model === undefined)) {
      throw refused(`${at}.strategy`, 'an arm has either a strategy or a model');
    }
    if (model !== undefined && quality !== undefined) {
      throw refused(
        `${at}.quality`,
        'a model is not chosen by its quality: leave it out, or name a strategy',
      );
    }
    names.add(name);
  }
  return arms.map(({ name, weight, strategy, model, quality }) => ({
    name,
    weight,
    strategy,
    model,
    quality,
  }));
}

function refused(param: string, reason: string): ValidationError {
  return new ValidationError(`${param}: ${reason}`, { param });
}

/** They work as they stand, without any provider's key. */
export const CREATE_EXAMPLES = {
  strategies: {
    summary: 'Is cheap good enough for a tenth of the keys?',
    value: {
      name: 'cheap for everybody?',
      share: 0.1,
      arms: [
        { name: 'as it is', weight: 1, strategy: 'auto' },
        { name: 'cheap', weight: 1, strategy: 'cheap' },
      ],
    },
  },
  quality: {
    summary: 'What does a quality target save?',
    value: {
      name: 'targets',
      stickyBy: 'request',
      arms: [
        { name: 'best', weight: 2, strategy: 'best' },
        { name: '95 %', weight: 1, strategy: 'auto', quality: 0.95 },
      ],
    },
  },
  models: {
    summary: 'Two models for one kind of task',
    value: {
      name: 'translations',
      taskTypes: ['TRANSLATION'],
      stickyBy: 'user',
      arms: [
        { name: 'large', weight: 1, model: 'sandbox/large' },
        { name: 'small', weight: 1, model: 'sandbox/small' },
      ],
    },
  },
};

export const UPDATE_EXAMPLES = {
  share: { summary: 'Half of the traffic', value: { share: 0.5 } },
  weights: {
    summary: 'Other weights, before it starts',
    value: {
      arms: [
        { name: 'as it is', weight: 9, strategy: 'auto' },
        { name: 'cheap', weight: 1, strategy: 'cheap' },
      ],
    },
  },
};
