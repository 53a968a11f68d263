import { Type } from 'class-transformer';
import {
  IsEmail,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  IsUrl,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
} from 'class-validator';
import { type Role, ROLES } from '../common/index';
import { IsProxyList } from './proxy-list';
import { RoutingEnvDto } from './routing-env.dto';

const URL_OPTIONS = { require_tld: false, require_protocol: true, protocols: ['http', 'https'] };

const LATTICE_ENVS = ['dev', 'test', 'production'] as const;
export type LatticeEnv = (typeof LATTICE_ENVS)[number];

/** Every environment variable Lattice reads, with its default. `.env.example` lists the same names. */
export class EnvDto extends RoutingEnvDto {
  @IsIn(LATTICE_ENVS)
  LATTICE_ENV: LatticeEnv = 'dev';

  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(65_535)
  PORT: number = 3000;

  /** 127.0.0.1 in dev and test, 0.0.0.0 in production. */
  @IsOptional()
  @IsString()
  HOST?: string;

  @IsString()
  @MinLength(1)
  DATA_DIR: string = './data';

  /** Folder of the administrator's YAML files that override the built-in ones. */
  @IsOptional()
  @IsString()
  LATTICE_CONFIG_DIR?: string;

  @IsOptional()
  @Matches(/^postgres(ql)?:\/\//, { message: 'DATABASE_URL must start with postgres:// or postgresql://' })
  DATABASE_URL?: string;

  @Type(() => Number)
  @IsInt()
  @Min(2)
  @Max(200)
  DATABASE_POOL_SIZE: number = 10;

  @IsOptional()
  @IsString()
  LATTICE_SECRET_KEY?: string;

  @IsOptional()
  @IsEmail()
  LATTICE_ADMIN_EMAIL?: string;

  @IsOptional()
  @Length(8, 128)
  LATTICE_ADMIN_PASSWORD?: string;

  /** Comma-separated keys that LATTICE_SECRET_KEY had before: what they signed or sealed is still accepted. */
  @IsOptional()
  @IsString()
  LATTICE_PREVIOUS_SECRET_KEYS?: string;

  @IsIn(['open', 'closed', 'invite'])
  AUTH_REGISTRATION: 'open' | 'closed' | 'invite' = 'open';

  @IsIn(ROLES)
  AUTH_DEFAULT_ROLE: Role = 'operator';

  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(1440)
  TOKEN_EXPIRY_MINUTES: number = 30;

  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(365)
  REFRESH_TOKEN_EXPIRY_DAYS: number = 7;

  /** Comma-separated origins that browsers may call from, or `*`; unset: none. */
  @IsOptional()
  @Matches(/^(\*|https?:\/\/[^\s,/]+(\s*,\s*https?:\/\/[^\s,/]+)*)$/, {
    message: 'CORS_ORIGINS must be * or a comma-separated list of origins such as https://app.example.com',
  })
  CORS_ORIGINS?: string;

  /** Comma-separated addresses and CIDR ranges, or `loopback`, `linklocal`, `uniquelocal`; unset: no proxy is trusted. */
  @IsOptional()
  @IsProxyList()
  TRUST_PROXY?: string;

  /** Comma-separated `host` or `host:port` that user-set URLs may reach although they are private. */
  @IsOptional()
  @IsString()
  @MaxLength(4096)
  OUTBOUND_ALLOWED_HOSTS?: string;

  /** 0: none. Unset: 100 in production, else 0. */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(1_000_000_000)
  RATE_LIMIT_USER_PER_HOUR?: number;

  /** 0: none. Unset: 10000 in production, else 0. */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(1_000_000_000)
  RATE_LIMIT_GLOBAL_PER_HOUR?: number;

  /** US dollars that this process may spend on credentials it knows while PostgreSQL is away; 0: none. */
  @Matches(/^\d{1,9}(\.\d{1,12})?$/, { message: 'DEGRADED_FLOAT_USD must be a decimal amount such as 0.50' })
  DEGRADED_FLOAT_USD: string = '0';

  @IsIn(['auto', 'on', 'off'])
  LATTICE_SANDBOX: 'auto' | 'on' | 'off' = 'auto';

  /** false: providers are called by the commands of scripts.yaml only, never by this process. */
  @IsIn(['true', 'false'])
  LATTICE_USE_DIRECT: 'true' | 'false' = 'true';

  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(1000)
  MAX_FUNCTION_CALLS: number = 10;

  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(3_600_000)
  TOOL_TIMEOUT_MS: number = 30_000;

  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  DEFAULT_MAX_OUTPUT_TOKENS: number = 4096;

  /** 0: no answer is kept, and nobody waits for the answer to another request. */
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(1_000_000)
  RESPONSE_CACHE_MAX_ENTRIES: number = 1000;

  @Type(() => Number)
  @IsInt()
  @Min(65_536)
  @Max(17_179_869_184)
  RESPONSE_CACHE_MAX_BYTES: number = 67_108_864;

  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(2_592_000)
  RESPONSE_CACHE_TTL_SECONDS: number = 3600;

  /** Seconds that background work and open requests get at shutdown. */
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(600)
  BACKGROUND_TASK_TIMEOUT: number = 5;

  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(60_000)
  RETRY_BASE_DELAY_MS: number = 1000;

  /** Failures in a row after which a model is left alone for a while; 0: the circuit breaker is off. */
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(1000)
  BREAKER_FAILURES: number = 5;

  /** Share of a minute's attempts, from 20 on, that may fail before a model is left alone; 100: any. */
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(100)
  BREAKER_FAILURE_PERCENT: number = 50;

  @Type(() => Number)
  @IsInt()
  @Min(10)
  @Max(600_000)
  BREAKER_OPEN_MS: number = 5000;

  @Type(() => Number)
  @IsInt()
  @Min(10)
  @Max(3_600_000)
  BREAKER_MAX_OPEN_MS: number = 120_000;

  @Type(() => Number)
  @IsInt()
  @Min(500)
  @Max(600_000)
  HOLD_LEASE_MS: number = 15_000;

  @Type(() => Number)
  @IsInt()
  @Min(1024)
  @Max(268_435_456)
  BODY_LIMIT_BYTES: number = 20_971_520;

  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(100_000)
  MAX_MESSAGES: number = 2048;

  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(1024)
  MAX_TOOLS: number = 128;

  @Type(() => Number)
  @IsInt()
  @Min(1000)
  @Max(100_000_000)
  MAX_PROMPT_CHARS: number = 8_000_000;

  @IsOptional()
  @MinLength(8)
  METRICS_TOKEN?: string;

  @IsIn(['debug', 'info', 'warn', 'error', 'fatal', 'silent'])
  LOG_LEVEL: 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent' = 'info';

  @IsOptional() @IsString() @MaxLength(4096) OPENAI_API_KEY?: string;
  @IsOptional() @IsUrl(URL_OPTIONS) OPENAI_BASE_URL?: string;
  @IsOptional() @IsString() @MaxLength(4096) ANTHROPIC_API_KEY?: string;
  @IsOptional() @IsUrl(URL_OPTIONS) ANTHROPIC_BASE_URL?: string;
  @IsOptional() @IsString() @MaxLength(4096) GOOGLE_API_KEY?: string;
  @IsOptional() @IsUrl(URL_OPTIONS) GOOGLE_BASE_URL?: string;
  @IsOptional() @IsString() @MaxLength(4096) XAI_API_KEY?: string;
  @IsOptional() @IsUrl(URL_OPTIONS) XAI_BASE_URL?: string;
  @IsOptional() @IsString() @MaxLength(4096) COHERE_API_KEY?: string;
  @IsOptional() @IsUrl(URL_OPTIONS) COHERE_BASE_URL?: string;
  @IsOptional() @IsString() @MaxLength(4096) AZURE_OPENAI_API_KEY?: string;
  @IsOptional() @IsUrl(URL_OPTIONS) AZURE_OPENAI_ENDPOINT?: string;
  @IsOptional() @IsString() AZURE_OPENAI_API_VERSION?: string;
  @IsOptional() @IsUrl(URL_OPTIONS) AZURE_BASE_URL?: string;
  @IsOptional() @IsString() @MaxLength(4096) AWS_BEARER_TOKEN_BEDROCK?: string;
  @IsOptional() @IsString() @MaxLength(4096) AWS_ACCESS_KEY_ID?: string;
  @IsOptional() @IsString() @MaxLength(4096) AWS_SECRET_ACCESS_KEY?: string;
  @IsOptional() @IsString() @MaxLength(4096) AWS_SESSION_TOKEN?: string;
  @IsOptional() @IsString() AWS_REGION?: string;
  @IsOptional() @IsUrl(URL_OPTIONS) BEDROCK_BASE_URL?: string;
  @IsOptional() @IsUrl(URL_OPTIONS) OLLAMA_BASE_URL?: string;
  @IsOptional() @IsString() @MaxLength(4096) DIAL_API_KEY?: string;
  @IsOptional() @IsUrl(URL_OPTIONS) DIAL_API_URL?: string;
  @IsOptional() @IsUrl(URL_OPTIONS) DIAL_BASE_URL?: string;
}
