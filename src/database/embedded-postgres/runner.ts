import { Binaries } from './binaries';
import type { ClusterFolder } from './cluster-folder';
import { accountOf, CurrentUser, type Identity, OtherUser, serviceAccounts, UserNamespace } from './identity';
import { unusableFolder } from './unusable-folder';

/** How PostgreSQL is run for one folder: as whom, and with which copy of the programs. */
export interface Runner {
  readonly identity: Identity;
  readonly binaries: Binaries;
  /** The major version of the programs, such as `18`. */
  readonly version: string;
}

/**
 * The first identity that can both write the folder and run the programs. A cluster that exists stays with its owner.
 * @throws ConfigurationError naming the folder when nobody can.
 */
export function chooseRunner(folder: ClusterFolder): Runner {
  const packaged = Binaries.ofPlatform();
  const { ownerUid } = folder;
  const refusals: string[] = [];
  for (const identity of candidates(folder)) {
    const answer = tryIdentity(folder, identity, packaged);
    if (typeof answer !== 'string') return answer;
    refusals.push(`${identity.label} ${answer}`);
  }
  if (process.getuid?.() === 0 && !folder.hasCluster) accountIdentity(ownerUid).own(folder.root);
  throw unusableFolder(folder.root, refusals.join('; '));
}

function candidates(folder: ClusterFolder): readonly Identity[] {
  const ourUid = process.getuid?.();
  const owner = folder.ownerUid;
  if (ourUid === undefined) return [new CurrentUser()];
  if (ourUid !== 0) {
    if (owner === ourUid) return [new CurrentUser()];
    throw unusableFolder(folder.root, `it belongs to ${accountOf(owner).name}, not to the current user`);
  }
  if (owner !== 0) return [otherUser(accountOf(owner))];
  if (folder.hasCluster) return [new UserNamespace()];
  const parentOwner = folder.parentOwnerUid;
  const parentOwners = parentOwner === 0 ? [] : [accountOf(parentOwner)];
  return [new UserNamespace(), ...[...serviceAccounts(), ...parentOwners].map(otherUser)];
}

function otherUser({ name, uid, gid }: { name: string; uid: number; gid: number }): Identity {
  return new OtherUser(name, uid, gid);
}

/** A runner, or why this identity cannot be used. */
function tryIdentity(folder: ClusterFolder, identity: Identity, packaged: Binaries): Runner | string {
  if (process.platform === 'win32') return probe(identity, packaged) ?? 'cannot run the PostgreSQL programs';
  if (identity.run('/bin/sh', ['-c', 'true']) === undefined) return 'is forbidden by this system';
  if (!folder.hasCluster) identity.own(folder.root);
  if (identity.run('/bin/sh', ['-c', 'cd "$0" && test -w .', folder.root]) === undefined)
    return 'cannot reach it';
  return (
    probe(identity, packaged) ??
    probe(identity, packaged.copyInto(folder)) ??
    'cannot run the PostgreSQL programs (they need glibc)'
  );
}

function accountIdentity(uid: number): Identity {
  return uid === 0 ? new UserNamespace() : otherUser(accountOf(uid));
}

function probe(identity: Identity, binaries: Binaries): Runner | undefined {
  const version = /PostgreSQL\) (\d+)/.exec(identity.run(binaries.postgres, ['--version']) ?? '')?.[1];
  return version === undefined ? undefined : { identity, binaries, version };
}
