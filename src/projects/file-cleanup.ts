import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { firstIdAt } from '../common/index';
import { RowCleanup } from '../database/index';
import { type FileOwner, ProjectFiles } from '../tools/index';

/** The first act was recorded just after the first user had got an id. */
const BEFORE_FIRST_ACT_MS = 60_000;

/** The audit log is never shortened: its first entry is as old as the database. */
const BORN = 'select at from audit_entries order by position limit 1';
const LEFT = `
  select wanted.id from unnest($1::uuid[]) as wanted (id)
  where not exists (select from projects where projects.id = wanted.id)
    and not exists (select from users where users.id = wanted.id)`;

/**
 * Removes the files of projects and users that are gone: they go after their owner does, and a process may die between, or a
 * tool still be writing elsewhere. Folders from before this database was made are not its own, and stay.
 */
@Injectable()
export class FileCleanup extends RowCleanup {
  constructor(
    private readonly database: DataSource,
    private readonly files: ProjectFiles,
  ) {
    super([(limit) => this.removeLeft(limit)]);
  }

  private async removeLeft(limit: number): Promise<number> {
    // First the folders: an owner is in the database before it has one.
    const owners = new Map((await this.files.settledOwners()).map((owner) => [idOf(owner), owner]));
    const [born] = await this.database.query<{ at: Date }[]>(BORN);
    if (!born || owners.size === 0) return 0;
    const firstId = firstIdAt(born.at.getTime() - BEFORE_FIRST_ACT_MS);
    const own = [...owners.keys()].filter((id) => id >= firstId);
    const left = await this.database.query<{ id: string }[]>(LEFT, [own]);
    const removed = left.slice(0, limit).flatMap(({ id }) => owners.get(id) ?? []);
    for (const owner of removed) await this.files.removeAll(owner);
    return removed.length;
  }
}

function idOf(owner: FileOwner): string {
  return 'projectId' in owner ? owner.projectId : owner.userId;
}
