// Which Node runs what: any host Node from 20 on starts these scripts, Node 24 from optionalDependencies runs the product.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { SetupError } from './project.mjs';

const oldestHost = '20.0.0';
const oldestRuntime = '24.11.0';

/** Compares dotted versions number by number. */
export function isAtLeast(version, minimum) {
  const [left, right] = [version, minimum].map((text) => text.replace(/^v/, '').split('.').map(Number));
  const index = right.findIndex((part, at) => part !== left[at]);
  return index === -1 || left[index] > right[index];
}

/** The npm package that carries the pinned Node binary for a platform, whether or not it is published. */
export function pinnedPackage(platform = process.platform, arch = process.arch) {
  return `node-${platform === 'win32' ? 'win' : platform}-${arch}`;
}

/** Where the pinned Node binary of this platform is, once installed. */
export function pinnedBinary(root) {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  return path.join(root, 'node_modules', pinnedPackage(), 'bin', name);
}

export function requireHostNode(version = process.versions.node) {
  if (isAtLeast(version, oldestHost)) return;
  throw new SetupError(
    `Node ${oldestHost.split('.')[0]} or newer is needed to start; this is Node ${version}.`,
  );
}

/** The Node that runs the product: the pinned one, else the host's when it is new enough. */
export function findRuntime(root) {
  const pinned = pinnedBinary(root);
  if (existsSync(pinned) && spawnSync(pinned, ['--version']).status === 0) return pinned;
  if (isAtLeast(process.versions.node, oldestRuntime)) return process.execPath;
  throw new SetupError(
    `No Node ${oldestRuntime} or newer: npm has none for ${process.platform}-${process.arch} that runs here and the installed one is ${process.versions.node}. Install Node 24 and start again.`,
  );
}
