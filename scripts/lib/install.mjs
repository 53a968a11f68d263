// Installs the dependencies when what stands in node_modules is not what package-lock.json asks for.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { runChild } from './child.mjs';
import { say, SetupError } from './project.mjs';
import { pinnedBinary, pinnedPackage } from './runtime.mjs';

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * The packages of a lock file that are not installed in the locked version. Optional ones may be absent: npm leaves out
 * those of other platforms.
 */
export function missingPackages(lock, installed) {
  return Object.entries(lock.packages ?? {})
    .filter(([location, wanted]) => {
      if (location === '') return false;
      const present = installed.packages?.[location];
      if (!present) return !wanted.optional;
      return present.version !== wanted.version || present.integrity !== wanted.integrity;
    })
    .map(([location]) => location);
}

/** True when node_modules holds what the lock file asks for, the pinned Node of this platform included. */
export function isInstalled(root) {
  const lock = readJson(path.join(root, 'package-lock.json'));
  const installed = readJson(path.join(root, 'node_modules', '.package-lock.json'));
  if (!installed) return false;
  if (!lock) return true;
  if (missingPackages(lock, installed).length > 0) return false;
  const isPinnedHere = `node_modules/${pinnedPackage()}` in (lock.packages ?? {});
  return !isPinnedHere || existsSync(pinnedBinary(root));
}

/** npm itself: the one that runs this script where there is one, else the one on the PATH. */
function npmCommand() {
  const running = process.env.npm_execpath;
  if (running && path.basename(running) === 'npm-cli.js')
    return { command: process.execPath, prefix: [running] };
  return { command: 'npm', prefix: [], shell: process.platform === 'win32' };
}

/** Runs `npm ci` (or `npm install` without a lock file). Its output is shown only when it fails. */
export async function install(root, onSpawn) {
  const verb = existsSync(path.join(root, 'package-lock.json')) ? 'ci' : 'install';
  say(`installing dependencies (npm ${verb})…`);
  const { command, prefix, shell = false } = npmCommand();
  // Install scripts are not needed by any dependency; without them nothing foreign runs and nothing reports home.
  const flags = ['--include=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--no-fund'];
  const result = await runChild(command, [...prefix, verb, ...flags], {
    cwd: root,
    capture: true,
    onSpawn,
    shell,
  });
  if (result.wasInterrupted) return result;
  if (result.code !== 0) {
    process.stderr.write(result.output);
    throw new SetupError(`Installing failed: npm ${verb} ended with exit code ${result.code}.`);
  }
  return result;
}
