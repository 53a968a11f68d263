import { Type } from 'class-transformer';
import { IsInt, IsNumber, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { ProjectsEnvDto } from './projects-env.dto';

/** The variables about how requests are read and routed. */
export class RoutingEnvDto extends ProjectsEnvDto {
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  ANALYZER_CACHE_SIZE: number = 1024;

  /** How often the files below `routing/` are looked at for changes; 0: they are read at the start only. */
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(3_600_000)
  ROUTING_RELOAD_MS: number = 2000;

  /** How often the speed and the failures of models are measured from the usage lines; 0: never by itself. */
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(3_600_000)
  ROUTING_MEASURE_MS: number = 60_000;

  /** Chat model that is asked for the kind of task where the local classifier is unsure; a name or `auto:cheap`; unset: none. */
  @IsOptional()
  @IsString()
  @MaxLength(200)
  CLASSIFIER_MODEL?: string;

  /** Confidence below which it is asked. */
  @Type(() => Number)
  @IsNumber()
  @Min(0)
  @Max(1)
  CLASSIFIER_THRESHOLD: number = 0.5;

  /** How often its answer is expected to be right: what the confidence becomes. */
  @Type(() => Number)
  @IsNumber()
  @Min(0.1)
  @Max(1)
  CLASSIFIER_MODEL_ACCURACY: number = 0.85;

  /** How long the request waits for it. */
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(60_000)
  CLASSIFIER_TIMEOUT_MS: number = 3000;
}
