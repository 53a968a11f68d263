import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { fromApiId, type IdPrefix, type Principal, toApiId } from '../common/index';
import { NotFoundError } from '../errors/index';

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

/** The kinds of things that have a stream of events. Modules register theirs when they start. */
@Injectable()
export class EventResources {
  private readonly owners = new Map<IdPrefix, OwnerOf>();

  constructor(database: DataSource) {
    const ownerIn = async (sql: string, id: string): Promise<string | undefined> => {
      const [row] = await database.query<{ owner: string }[]>(sql, [id]);
      return row?.owner;
    };
    this.register('usr', (id) => ownerIn('select id as owner from users where id = $1', id));
    this.register('whk', (id) => ownerIn('select user_id as owner from webhooks where id = $1', id));
    this.register('key', (id) => ownerIn('select user_id as owner from api_keys where id = $1', id));
  }

  register(prefix: IdPrefix, ownerOf: OwnerOf): void {
    this.owners.set(prefix, ownerOf);
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
