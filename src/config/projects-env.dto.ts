import { Type } from 'class-transformer';
import { IsIn, IsInt, IsNumber, IsOptional, IsString, IsUrl, Max, MaxLength, Min } from 'class-validator';

const WORKER_MODES = ['on', 'off'] as const;
const DAY_MS = 86_400_000;

/** The variables about projects, their tasks and tools. */
export class ProjectsEnvDto {
  /** Does this process carry out plans and tasks? `off`: it takes requests and leaves the work to the others. */
  @IsIn(WORKER_MODES)
  PROJECT_WORKER: (typeof WORKER_MODES)[number] = 'on';

  /** Tasks that run at once, in all processes together. */
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(100_000)
  TASK_CONCURRENCY: number = 200;

  /** Tasks of one user that run at once. */
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(100_000)
  TASK_CONCURRENCY_PER_OWNER: number = 100;

  /** Tasks that run at once in this process. */
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(10_000)
  TASK_CONCURRENCY_PER_NODE: number = 100;

  /** How often a failed task is tried again. */
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(100)
  MAX_TASK_RETRIES: number = 5;

  /** From the first start of an attempt to its end; a task may ask for less. */
  @Type(() => Number)
  @IsInt()
  @Min(100)
  @Max(DAY_MS)
  TASK_TIMEOUT_MS: number = 1_800_000;

  /** Pause before the first retry of a task; it doubles with each. */
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(3_600_000)
  TASK_RETRY_BASE_MS: number = 1000;

  /** Characters of earlier results that a task is given; longer ones are summarised. */
  @Type(() => Number)
  @IsInt()
  @Min(100)
  @Max(10_000_000)
  TASK_CONTEXT_CHARS: number = 24_000;

  /** Model that writes plans, unless the request names one. */
  @IsString()
  @MaxLength(200)
  PLANNER_MODEL: string = 'auto:best';

  /** Plannings that a user may begin in a minute. */
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(10_000)
  PLANNINGS_PER_MINUTE: number = 5;

  /** After how long without a sign of life a process has lost its work to the others. */
  @Type(() => Number)
  @IsInt()
  @Min(1000)
  @Max(600_000)
  DURABLE_LEASE_MS: number = 10_000;

  /** How often processes look for work that a dead one left behind. */
  @Type(() => Number)
  @IsInt()
  @Min(50)
  @Max(60_000)
  DURABLE_SWEEP_MS: number = 250;

  /** How often queues are looked at when nothing woke them. */
  @Type(() => Number)
  @IsInt()
  @Min(100)
  @Max(60_000)
  DURABLE_POLL_MS: number = 1000;

  /** How long work that is under way may take to end when the process is asked to stop; the rest goes to others. */
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(600_000)
  DURABLE_DRAIN_MS: number = 5000;

  /** How long the journal of finished work is kept. */
  @Type(() => Number)
  @IsNumber()
  @Min(0.1)
  @Max(87_600)
  DURABLE_RETENTION_HOURS: number = 72;

  /** Folder of the files that projects write; unset: `files` in DATA_DIR. */
  @IsOptional()
  @IsString()
  FILES_DIR?: string;

  /** Bytes of all files of one project. */
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  FILES_QUOTA_BYTES: number = 104_857_600;

  /** Hosts that the `http` tool may call, separated by commas; `*.example.com` stands for all below it; `*`: every public host; unset: none. */
  @IsOptional()
  @IsString()
  @MaxLength(10_000)
  HTTP_TOOL_HOSTS?: string;

  /** Address of ComfyUI, for example http://127.0.0.1:8188; unset: no images. */
  @IsOptional()
  @IsUrl({ require_tld: false, protocols: ['http', 'https'], require_protocol: true })
  COMFYUI_URL?: string;

  /** Checkpoint that ComfyUI draws with. */
  @IsString()
  @MaxLength(500)
  COMFYUI_CHECKPOINT: string = 'sd_xl_base_1.0.safetensors';
}
