// npm start: installs and builds what is missing, then runs Lattice on the pinned Node.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { leaveLike, runChild } from './lib/child.mjs';
import { main, prepare } from './lib/prepare.mjs';
import { projectRoot } from './lib/project.mjs';

await main(async () => {
  const runtime = await prepare({ needsBuild: true });
  const settings = existsSync(path.join(projectRoot, '.env')) ? ['--env-file=.env'] : [];
  const args = [...settings, '--enable-source-maps', 'dist/src/main.js'];
  const options = { cwd: projectRoot, ownGroup: true };
  leaveLike(await runChild(runtime, [...args, ...process.argv.slice(2)], options));
});
