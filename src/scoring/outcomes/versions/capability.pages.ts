/** What was learned of models, as REST shows it. */
import { Injectable } from '@nestjs/common';
import { Cursors, noSuch } from '../../../auth/index';
import { type CatalogModel, CatalogService } from '../../../catalog/index';
import { type RequestContext, TASK_TYPES, type TaskType, toApiId } from '../../../common/index';
import { type CapabilityEstimate, CapabilityTable } from '../../capabilities/capability-table';
import { BaseModels } from '../base-models';
import { Capabilities } from '../capabilities.service';
import type { ListCapabilitiesQueryDto } from '../dto/capability.request.dto';
import type {
  CapabilityPageDto,
  CapabilityStateDto,
  CapabilityVersionDetailDto,
  CapabilityVersionDto,
  CapabilityVersionPageDto,
  ModelCapabilityDto,
} from '../dto/capability.response.dto';
import type { CapabilityVersion, VersionInForce } from './capability-version';
import { CapabilityVersions } from './capability-versions.repository';
import { typicalProfile } from './typical-profile';

const VERSIONS = 'capability-versions';

@Injectable()
export class CapabilityPages {
  constructor(
    private readonly capabilities: Capabilities,
    private readonly versions: CapabilityVersions,
    private readonly catalog: CatalogService,
    private readonly cursors: Cursors,
  ) {}

  /** As this process uses it, models by name. */
  async models(ctx: RequestContext, query: ListCapabilitiesQueryDto): Promise<CapabilityPageDto> {
    const { limit, cursor, model, taskType } = query;
    const table = this.capabilities.current;
    const list = `capabilities/${model ?? ''}/${taskType ?? ''}`;
    const after = this.cursors.decode<string>(ctx, list, cursor);
    const rows = this.chatModels(model)
      .filter(([name]) => after === undefined || name > after)
      .slice(0, limit + 1);
    const page = this.cursors.page(ctx, list, { rows, limit, positionOf: ([name]) => name });
    const types = taskType === undefined ? TASK_TYPES : [taskType];
    return {
      ...stateOf(ctx, await this.versions.inForce()),
      version: table.version,
      data: page.items.map(([name, one]) => ({ model: name, taskTypes: capabilitiesOf(table, one, types) })),
      nextCursor: page.nextCursor,
    };
  }

  /** Newest first. */
  async list(
    ctx: RequestContext,
    { limit, cursor }: { readonly limit: number; readonly cursor?: string },
  ): Promise<CapabilityVersionPageDto> {
    const before = this.cursors.decode<string>(ctx, VERSIONS, cursor);
    const rows = await this.versions.list({ limit: limit + 1, before });
    const page = this.cursors.page(ctx, VERSIONS, { rows, limit, positionOf: ({ version }) => version });
    const inForce = await this.versions.inForce();
    return { data: page.items.map((one) => versionOf(ctx, one, inForce)), nextCursor: page.nextCursor };
  }

  /** @throws NotFoundError */
  async get(ctx: RequestContext, version: string): Promise<CapabilityVersionDetailDto> {
    const found = await this.versions.find(version);
    if (!found) throw noSuch({ name: 'capability version' }, 'version');
    const inForce = await this.versions.inForce();
    const content = ctx.principal.role === 'admin' ? await this.versions.content(version) : undefined;
    return { ...versionOf(ctx, found, inForce), content: content ?? null };
  }

  /** One entry of each model, whoever sells it, in the order of names. */
  private chatModels(asked?: string): readonly (readonly [string, CatalogModel])[] {
    const byName = new Map<string, CatalogModel>();
    for (const model of this.catalog.ofKind('chat')) {
      if (!byName.has(model.baseModel)) byName.set(model.baseModel, model);
    }
    const name = asked === undefined ? undefined : new BaseModels(this.catalog).nameOf(asked);
    return [...byName]
      .filter(([base]) => name === undefined || base === name)
      .toSorted(([left], [right]) => (left < right ? -1 : 1));
  }
}

export function stateOf(
  { principal }: RequestContext,
  inForce: VersionInForce,
): Readonly<CapabilityStateDto> {
  const { version, pinned, pinnedAt, pinnedBy } = inForce;
  return {
    version,
    pinned: pinned ?? null,
    pinnedAt: pinnedAt?.toISOString() ?? null,
    pinnedBy: pinnedBy !== undefined && principal.role === 'admin' ? toApiId('usr', pinnedBy) : null,
  };
}

function versionOf(
  { principal }: RequestContext,
  { version, reason, outcomes, createdAt, createdBy, usedUntil }: CapabilityVersion,
  inForce: VersionInForce,
): Readonly<CapabilityVersionDto> {
  return {
    version,
    isInForce: version === inForce.version,
    reason,
    outcomes,
    createdAt: createdAt.toISOString(),
    createdBy: createdBy !== undefined && principal.role === 'admin' ? toApiId('usr', createdBy) : null,
    usedUntil: usedUntil?.toISOString() ?? null,
  };
}

function capabilitiesOf(
  table: CapabilityTable,
  model: CatalogModel,
  types: readonly TaskType[],
): ModelCapabilityDto['taskTypes'] {
  return types.map((taskType) => {
    const profile = typicalProfile(taskType);
    const { quality, deviation, observations } = table.estimate(model, profile);
    const prior: CapabilityEstimate = CapabilityTable.prior.estimate(model, profile);
    return {
      taskType,
      quality: round(quality),
      deviation: round(deviation),
      observations: round(observations),
      prior: round(prior.quality),
    };
  });
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
