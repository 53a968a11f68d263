import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadConfig, mcpHeaders } from '../../../src/config/index';

describe('mcp.yaml', () => {
  let dir: string;

  beforeEach(() => {
    dir = realpathSync(mkdtempSync(path.join(tmpdir(), 'lattice-mcp-')));
  });

  afterEach(() => rmSync(dir, { recursive: true }));

  const load = (text?: string) => {
    if (text !== undefined) writeFileSync(path.join(dir, 'mcp.yaml'), text);
    return loadConfig({ LATTICE_SECRET_KEY: 's'.repeat(32), LATTICE_CONFIG_DIR: dir }).mcpServers;
  };

  it('is built in without a server, and an empty one of your own is fine', () => {
    expect(load()).toEqual({});
    expect(load('# nothing yet\n')).toEqual({});
    expect(load('servers:\n')).toEqual({});
  });

  it('has a default for everything but the command or the URL', () => {
    expect(
      load('servers: { a: { command: [node, x.mjs] }, b-2: { url: "http://10.0.0.1:8080/mcp" } }'),
    ).toEqual({
      a: { command: ['node', 'x.mjs'], env: [], cwd: dir, timeoutMs: 60_000 },
      'b-2': { url: 'http://10.0.0.1:8080/mcp', headers: {}, timeoutMs: 60_000 },
    });
  });

  it('means cwd from its own folder', () => {
    mkdirSync(path.join(dir, 'bin'));
    expect(load('servers: { a: { command: [x], cwd: bin } }')).toMatchObject({
      a: { cwd: path.join(dir, 'bin') },
    });
  });

  it.each([
    ['servers: { a: {} }', /servers\.a: must have a command or a url/],
    ['servers: { a: { command: [x], url: "https://x" } }', /servers\.a: must have a command or a url/],
    ['servers: { a: { command: [] } }', /servers\.a\.command: must name a program/],
    ['servers: { a: { command: [" "] } }', /servers\.a\.command\[0\]: must name a program/],
    ['servers: { a: { command: node x.mjs } }', /servers\.a\.command: .*array/],
    ['servers: { a: { command: [x], cwd: gone } }', /servers\.a\.cwd: .*gone is not a folder/],
    ['servers: { a: { command: [x], env: ["A=b"] } }', /servers\.a\.env\[0\]: must be the name/],
    ['servers: { a: { command: [x], env: [DATABASE_URL] } }', /servers\.a\.env\[0\]: is a secret of Lattice/],
    ['servers: { a: { command: [x], headers: { b: C } } }', /servers\.a: headers go with a url/],
    ['servers: { a: { url: "https://x", env: [A] } }', /servers\.a: env and cwd go with a command/],
    ['servers: { a: { url: "ftp://x" } }', /servers\.a\.url: must be an http or https URL/],
    ['servers: { a: { url: "https://x:99999" } }', /servers\.a: url is not a URL/],
    ['servers: { a: { url: "https://x", headers: { "b c": D } } }', /servers\.a\.headers/],
    ['servers: { a: { url: "https://x", headers: { b: LATTICE_SECRET_KEY } } }', /is a secret of Lattice/],
    [
      'servers: { a: { url: "https://x", headers: { b: "Bearer x" } } }',
      /must be the name of an environment/,
    ],
    ['servers: { a: { command: [x], timeoutMs: 5 } }', /servers\.a\.timeoutMs: /],
    ['servers: { a: { command: [x], shell: true } }', /servers\.a: .*"shell"/],
    ['servers: { a_b: { command: [x] } }', /servers/],
    ['servers: { -a: { command: [x] } }', /servers/],
    ['server: {}', /\(top level\): .*"server"/],
  ])('refuses %s, naming the file, the place and the reason', (text, message) => {
    expect(() => load(text)).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }));
    expect(() => load(text)).toThrow(message);
    expect(() => load(text)).toThrow(path.join(dir, 'mcp.yaml'));
  });
});

describe('mcpHeaders', () => {
  const settings = { url: 'https://x', timeoutMs: 1000, headers: { authorization: 'A_TOKEN', 'x-b': 'B' } };

  it('takes the values from the environment', () => {
    const values = { authorization: 'Bearer 1', 'x-b': '2' };
    expect(mcpHeaders(settings, { A_TOKEN: 'Bearer 1', B: '2' })).toEqual({ values });
  });

  it('names the variable that is not set', () => {
    expect(mcpHeaders(settings, { A_TOKEN: 'Bearer 1', B: '' })).toEqual({ missing: 'B' });
  });
});
