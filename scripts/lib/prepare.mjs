// What npm start and npm test have in common: bring a checkout into a state in which it can run.
import path from 'node:path';
import { leaveLike } from './child.mjs';
import { build, isBuilt } from './build.mjs';
import { install, isInstalled } from './install.mjs';
import { withLock } from './lock.mjs';
import { projectRoot, say, SetupError } from './project.mjs';
import { findRuntime, requireHostNode } from './runtime.mjs';

/** Thrown when a signal ended a step: the process leaves by the same signal. */
class Interrupted extends Error {
  constructor(result) {
    super('interrupted');
    this.result = result;
  }
}

async function finished(step) {
  const result = await step;
  if (result.wasInterrupted) throw new Interrupted(result);
}

async function setUp(root, isReady, { needsBuild, forceBuild }) {
  const lockFile = path.join(root, '.setup.lock');
  const onWait = (pid) => say(`waiting for process ${pid}, which is installing or building here…`);
  const work = async (addHolder) => {
    if (!isInstalled(root)) await finished(install(root, addHolder));
    if (forceBuild || (needsBuild && !isBuilt(root))) {
      await finished(build(root, findRuntime(root), addHolder));
    }
  };
  if (!isReady()) await withLock(lockFile, work, onWait);
}

/**
 * Installs and builds what is missing or stale.
 * @returns {Promise<string>} the Node binary that runs the product
 */
export async function prepare({ needsBuild = false, forceBuild = false } = {}) {
  requireHostNode();
  const isReady = () => !forceBuild && isInstalled(projectRoot) && (!needsBuild || isBuilt(projectRoot));
  await setUp(projectRoot, isReady, { needsBuild, forceBuild });
  return findRuntime(projectRoot);
}

/** Runs a script's body; an expected failure is one line, a signal is passed on. */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    if (error instanceof Interrupted) return leaveLike({ ...error.result, code: error.result.code || 130 });
    process.exitCode = 1;
    if (error instanceof SetupError) return say(error.message);
    throw error;
  }
}
