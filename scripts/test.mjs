// npm test: installs what is missing, then runs jest on the pinned Node; arguments go to jest.
import { leaveLike, runChild } from './lib/child.mjs';
import { main, prepare } from './lib/prepare.mjs';
import { projectRoot } from './lib/project.mjs';

await main(async () => {
  const runtime = await prepare();
  const args = [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
  ];
  leaveLike(await runChild(runtime, [...args, ...process.argv.slice(2)], { cwd: projectRoot }));
});
