// Which licences production dependencies may have.

const accepted = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'PostgreSQL',
  'Python-2.0',
  'Unlicense',
  'Zlib',
]);

/** Packages that name no licence in their manifest but carry one in their files. */
const reviewed = new Map([['pause', 'MIT']]);

/** True when an SPDX expression can be met with accepted licences alone. */
export function isAccepted(expression) {
  const tokens = expression.match(/\(|\)|[^\s()]+/g) ?? [];
  let position = 0;
  const single = () => {
    const token = tokens[position++];
    if (token !== '(') return accepted.has(token);
    const inner = either();
    position++;
    return inner;
  };
  const both = () => {
    let holds = single();
    while (tokens[position] === 'AND') {
      position++;
      holds = single() && holds;
    }
    return holds;
  };
  const either = () => {
    let holds = both();
    while (tokens[position] === 'OR') {
      position++;
      holds = both() || holds;
    }
    return holds;
  };
  return tokens.length > 0 && either() && position === tokens.length;
}

/** The licence a manifest declares, also in the forms npm used formerly. */
export function declaredLicense(manifest) {
  const { license, licenses } = manifest;
  if (typeof license === 'string') return license;
  if (license?.type) return license.type;
  if (Array.isArray(licenses) && licenses.length > 0) {
    return licenses.map((entry) => entry.type ?? entry).join(' OR ');
  }
  return undefined;
}

/**
 * The production packages whose licence is not accepted.
 * @param {object} lock package-lock.json
 * @param {(location: string) => object | undefined} readManifest the installed package.json, for what the lock leaves out
 */
export function licenseProblems(lock, readManifest) {
  const production = Object.entries(lock.packages).filter(
    ([location, entry]) => location !== '' && !entry.dev,
  );
  const problems = [];
  for (const [location, entry] of production) {
    const name = location.slice(location.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const license =
      declaredLicense(entry) ??
      declaredLicense(readManifest(location) ?? {}) ??
      reviewed.get(name) ??
      'unknown';
    if (!isAccepted(license)) problems.push({ name, version: entry.version, license });
  }
  return { problems, checked: production.length };
}
