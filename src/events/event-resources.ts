import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { API_KEY, type OwnedResource } from '../auth/index';
import { fromApiId, type IdPrefix, type Principal, toApiId } from '../common/index';
import { NotFoundError } from '../errors/index';
import { WEBHOOK } from './webhooks/webhook';

/** Whose a thing is: a user's UUID, or null when it belongs to the installation; undefined when there is no such thing. */
export type OwnerOf = (uuid: string) => Promise<string | null | undefined>;

/** Which events somebody may read. All parts that are set must hold. */
export interface EventFilter {
  readonly ownerId?: string;
  readonly resource?: string;
}

/** The stream with everything, for administrators. */
export const GLOBAL = 'global';
/** The caller's own `usr_…`. */
export const ME = 'me';

const USER: OwnedResource = { prefix: 'usr', name: 'user', table: 'users', ownerColumn: 'id' };

/** The kinds of things that have a stream of events. Modules register theirs when they start. */
@Injectable()
export class EventResources {
  private readonly owners = new Map<IdPrefix, OwnerOf>();
  private readonly limits = new Map<IdPrefix, number>();

  constructor(private readonly database: DataSource) {
    for (const resource of [USER, WEBHOOK, API_KEY]) this.registerOwned(resource);
  }

  /** @param most streams of one such thing at once, over all processes, whoever reads them and by whichever route */
  registerOwned(
    { prefix, table, idColumn = 'id', ownerColumn = 'user_id' }: OwnedResource,
    most = Infinity,
  ): void {
    this.limits.set(prefix, most);
    const sql = `select ${ownerColumn} as owner from ${table} where ${idColumn} = $1`;
    this.register(prefix, async (id) => {
      const [row] = await this.database.query<{ owner: string }[]>(sql, [id]);
      return row?.owner;
    });
  }

  register(prefix: IdPrefix, ownerOf: OwnerOf): void {
    this.owners.set(prefix, ownerOf);
  }

  /** How many streams may follow it at once, over all processes. */
  mostFollowers(resource: string): number {
    for (const [prefix, most] of this.limits) if (fromApiId(prefix, resource) !== undefined) return most;
    return Infinity;
  }

  /** The resource with `me` replaced by the caller's own id. */
  named(principal: Principal, resource: string): string {
    return resource === ME ? toApiId('usr', principal.userId) : resource;
  }

  /**
   * What the caller may read of a resource.
   * @throws NotFoundError when it is missing or somebody else's
   */
  async filterFor(principal: Principal, resource: string): Promise<EventFilter> {
    const isAdmin = principal.role === 'admin';
    const name = this.named(principal, resource);
    if (name === GLOBAL && isAdmin) return {};
    const owner = await this.ownerOf(name);
    if (owner === undefined || (!isAdmin && owner !== principal.userId)) {
      throw new NotFoundError('There is no such stream of events.', { param: 'resource' });
    }
    const userId = fromApiId('usr', name);
    if (userId !== undefined) return { ownerId: userId };
    // What is meant for administrators stays theirs, whatever it is about.
    return isAdmin ? { resource: name } : { resource: name, ownerId: principal.userId };
  }

  private async ownerOf(resource: string): Promise<string | null | undefined> {
    for (const [prefix, ownerOf] of this.owners) {
      const uuid = fromApiId(prefix, resource);
      if (uuid !== undefined) return await ownerOf(uuid);
    }
    return undefined;
  }
}
