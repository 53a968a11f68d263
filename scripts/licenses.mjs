// Fails when a production dependency has a licence that is not on the accepted list.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { licenseProblems } from './lib/licenses.mjs';
import { projectRoot } from './lib/project.mjs';

const readJson = (file) => JSON.parse(readFileSync(path.join(projectRoot, file), 'utf8'));
const readManifest = (location) => {
  const file = path.join(location, 'package.json');
  return existsSync(path.join(projectRoot, file)) ? readJson(file) : undefined;
};

const { problems, checked } = licenseProblems(readJson('package-lock.json'), readManifest);
for (const { name, version, license } of problems) {
  console.error(`${name}@${version}: licence ${license} is not accepted for a production dependency`);
}
if (problems.length > 0) process.exitCode = 1;
else console.log(`The licences of ${checked} production dependencies are accepted.`);
