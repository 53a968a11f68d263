import { ApiProperty } from '@nestjs/swagger';
import { toApiId } from '../../common/index';
import { type Limit, LIMIT_SCOPES, type LimitWindow } from '../../ledger/index';
import { scopeApiId } from '../scope-ids';
import { MANAGED_BY } from './budget.response.dto';

const VALUE = { type: 'integer', nullable: true, description: 'Null: not limited.' } as const;

export class LimitWindowDto {
  @ApiProperty({ type: 'integer', example: 12 })
  used: number;

  @ApiProperty({ type: 'integer', example: 48 })
  remaining: number;

  @ApiProperty({ type: String, format: 'date-time', example: '2026-11-21T10:16:00.000Z' })
  resetsAt: string;
}

const WINDOW = { type: LimitWindowDto, nullable: true, description: 'Null: not limited.' };

export class LimitWindowsDto {
  @ApiProperty(WINDOW)
  requestsPerMinute: LimitWindowDto | null;

  @ApiProperty(WINDOW)
  requestsPerHour: LimitWindowDto | null;

  @ApiProperty(WINDOW)
  tokensPerMinute: LimitWindowDto | null;

  @ApiProperty(WINDOW)
  tokensPerHour: LimitWindowDto | null;
}

export class LimitResponseDto {
  @ApiProperty({ example: 'lim_0192f0c0a1b27c3d8e4f5a6b7c8d9e0f' })
  id: string;

  @ApiProperty({ enum: LIMIT_SCOPES, example: 'global' })
  scope: string;

  @ApiProperty({ type: String, nullable: true, example: null, description: 'Null for the scope `global`.' })
  scopeId: string | null;

  @ApiProperty({ ...VALUE, example: 60 })
  requestsPerMinute: number | null;

  @ApiProperty({ ...VALUE, example: null })
  requestsPerHour: number | null;

  @ApiProperty({ ...VALUE, example: null })
  tokensPerMinute: number | null;

  @ApiProperty({ ...VALUE, example: null })
  tokensPerHour: number | null;

  @ApiProperty({ ...VALUE, example: 10 })
  concurrency: number | null;

  @ApiProperty({ type: LimitWindowsDto, description: 'How far the current minute and hour are used up.' })
  windows: LimitWindowsDto;

  @ApiProperty({ type: 'integer', example: 3, description: 'Model requests that run now.' })
  running: number;

  @ApiProperty({
    example: false,
    description: 'From the installation’s configuration; setting limits for the scope replaces it.',
  })
  isDefault: boolean;

  @ApiProperty(MANAGED_BY)
  managedBy: string;

  @ApiProperty({ type: String, format: 'date-time', example: '2026-11-21T10:15:00.000Z' })
  createdAt: string;

  static of(this: void, limit: Limit): LimitResponseDto {
    const { windows } = limit;
    return Object.assign(new LimitResponseDto(), {
      id: toApiId('lim', limit.id),
      scope: limit.scope,
      scopeId: scopeApiId(limit.scope, limit.scopeId),
      requestsPerMinute: limit.requestsPerMinute ?? null,
      requestsPerHour: limit.requestsPerHour ?? null,
      tokensPerMinute: limit.tokensPerMinute ?? null,
      tokensPerHour: limit.tokensPerHour ?? null,
      concurrency: limit.concurrency ?? null,
      windows: {
        requestsPerMinute: windowDto(windows.requestsPerMinute),
        requestsPerHour: windowDto(windows.requestsPerHour),
        tokensPerMinute: windowDto(windows.tokensPerMinute),
        tokensPerHour: windowDto(windows.tokensPerHour),
      },
      running: limit.running,
      isDefault: limit.isDefault,
      managedBy: limit.managedBy,
      createdAt: limit.createdAt.toISOString(),
    });
  }
}

function windowDto(window: LimitWindow | undefined): LimitWindowDto | null {
  return window ? { ...window, resetsAt: window.resetsAt.toISOString() } : null;
}

export class LimitPageDto {
  @ApiProperty({ type: [LimitResponseDto] })
  data: LimitResponseDto[];

  @ApiProperty({ type: String, nullable: true, example: null })
  nextCursor: string | null;
}
