import type { RequestContext } from '../../common/index';

/** Whose files are meant. UUIDs. */
export type FileOwner = { readonly projectId: string } | { readonly userId: string };

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The project that the caller works for, else the caller. */
export function fileOwner({ work, principal }: RequestContext): FileOwner {
  return work?.projectId === undefined ? { userId: principal.userId } : { projectId: work.projectId };
}

/** Names of the folder below the root. */
export function folderOf(owner: FileOwner): readonly string[] {
  return 'projectId' in owner ? [checked(owner.projectId)] : ['users', checked(owner.userId)];
}

/** Undefined: it is no folder of an owner. @param names as `folderOf` gives them */
export function ownerOf(names: readonly string[]): FileOwner | undefined {
  const id = names.at(-1) ?? '';
  if (!UUID.test(id)) return undefined;
  return names.length === 1 ? { projectId: id } : { userId: id };
}

function checked(id: string): string {
  if (!UUID.test(id)) throw new Error('The owner of files is not a UUID');
  return id;
}
