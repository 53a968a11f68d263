/** What every program needs to run at all; everything else must be named in scripts.yaml. */
const ALWAYS = ['PATH', 'HOME', 'LANG', 'TMPDIR'];
/** Shorter values are found in any text. */
const MIN_SECRET_LENGTH = 6;

/** The environment of a script: the allowed variables that are set, and nothing else. */
export function scriptEnvironment(
  allowed: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  return Object.fromEntries(
    [...ALWAYS, ...allowed].flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
}

/** A script's words without the values that it was given, whatever else they may hold. */
export function withoutValues(
  text: string,
  allowed: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): string {
  const values = allowed.map((name) => env[name] ?? '').filter((value) => value.length >= MIN_SECRET_LENGTH);
  return values.reduce((kept, value) => kept.replaceAll(value, '[redacted]'), text);
}
