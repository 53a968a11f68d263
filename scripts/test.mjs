// npm test: installs what is missing, then runs jest on the pinned Node; arguments go to jest.
import { leaveLike, runChild } from './lib/child.mjs';
import { JEST } from './lib/jest.mjs';
import { main, prepare } from './lib/prepare.mjs';
import { projectRoot } from './lib/project.mjs';

await main(async () => {
  const runtime = await prepare();
  leaveLike(await runChild(runtime, [...JEST, ...process.argv.slice(2)], { cwd: projectRoot }));
});
