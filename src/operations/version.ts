import { readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../config/index';

const { version } = JSON.parse(readFileSync(path.join(packageRoot(), 'package.json'), 'utf8')) as {
  version: string;
};

/** The version of package.json. */
export const VERSION = version;
