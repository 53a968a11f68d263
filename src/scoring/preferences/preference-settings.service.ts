/** Preferences as REST shows and changes them. */
import { Injectable } from '@nestjs/common';
import { noSuch } from '../../auth/index';
import { fromApiId, type RequestContext, type SqlExecutor, toApiId } from '../../common/index';
import { AuditSink, ForbiddenError } from '../../errors/index';
import { Weights } from '../weights';
import { PreferencesDto } from './dto/preferences.response.dto';
import { Preferences } from './preferences.service';
import { type OwnedPreferences, PreferencesRepository } from './preferences.repository';
import type { RoutingPreferences } from './routing-preferences';

const USER = { prefix: 'usr', name: 'user' } as const;
const PARAM = 'userId';

/** Everybody's own; administrators reach those of others, and what they change there is audited. */
@Injectable()
export class PreferenceSettings {
  constructor(
    private readonly repository: PreferencesRepository,
    private readonly preferences: Preferences,
    private readonly weights: Weights,
    private readonly audit: AuditSink,
  ) {}

  /** @param asked `usr_…`; the caller when left out. @throws ForbiddenError, NotFoundError */
  async get(ctx: RequestContext, asked?: string): Promise<PreferencesDto> {
    const userId = ownerOf(ctx, asked);
    const found = await this.repository.find(userId);
    if (!found && !(await this.repository.hasUser(userId))) throw noSuch(USER, PARAM);
    return this.shown(userId, found);
  }

  /** Replaces them all. @throws ForbiddenError, NotFoundError */
  async set(ctx: RequestContext, wanted: RoutingPreferences, asked?: string): Promise<PreferencesDto> {
    const userId = ownerOf(ctx, asked);
    const after = await this.change(ctx, userId, 'routing_preferences.set', async (executor) => {
      await this.repository.set(userId, wanted, executor);
    });
    return this.shown(userId, after);
  }

  /** The installation's weights hold again. @throws ForbiddenError, NotFoundError (the user) */
  async remove(ctx: RequestContext, asked?: string): Promise<void> {
    const userId = ownerOf(ctx, asked);
    await this.change(ctx, userId, 'routing_preferences.delete', async (executor) => {
      await this.repository.remove(userId, executor);
    });
  }

  private async change(
    ctx: RequestContext,
    userId: string,
    action: string,
    work: (executor: SqlExecutor) => Promise<void>,
  ): Promise<OwnedPreferences | undefined> {
    const changed = await this.repository.transaction(async (executor) => {
      if (!(await this.repository.lockOwner(userId, executor))) throw noSuch(USER, PARAM);
      const before = await this.repository.find(userId, executor);
      await work(executor);
      const after = await this.repository.find(userId, executor);
      if (userId !== ctx.principal.userId) {
        const states = { before: before && audited(before), after: after && audited(after) };
        await this.audit.record(ctx, { action, resourceId: toApiId('usr', userId), ...states }, executor);
      }
      return after;
    });
    await this.preferences.now();
    return changed;
  }

  private shown(userId: string, own: OwnedPreferences | undefined): PreferencesDto {
    return PreferencesDto.of(userId, this.weights.current, own);
  }
}

function ownerOf({ principal }: RequestContext, asked: string | undefined): string {
  const userId = asked === undefined ? principal.userId : fromApiId('usr', asked);
  if (userId === undefined) throw noSuch(USER, PARAM);
  if (userId !== principal.userId && principal.role !== 'admin') {
    throw new ForbiddenError('Only an administrator may see or set the preferences of others', {
      param: PARAM,
    });
  }
  return userId;
}

function audited({ strategies, quality, answerWorthUsd }: OwnedPreferences): Record<string, unknown> {
  return { strategies, quality: quality ?? null, answerWorthUsd: answerWorthUsd ?? null };
}
