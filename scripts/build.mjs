// npm run build: builds dist, whatever stands there; with --if-stale only when it is not up to date.
import { main, prepare } from './lib/prepare.mjs';

await main(() => prepare(process.argv.includes('--if-stale') ? { needsBuild: true } : { forceBuild: true }));
