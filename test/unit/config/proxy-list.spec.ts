import { fastify } from 'fastify';
import { IsProxyList } from '../../../src/config/proxy-list';
import { loadConfig } from '../../../src/config/index';

const load = (TRUST_PROXY: string) => loadConfig({ LATTICE_SECRET_KEY: 's'.repeat(32), TRUST_PROXY });

describe(IsProxyList.name, () => {
  it.each([
    ['loopback', ['loopback']],
    ['10.0.0.1', ['10.0.0.1']],
    ['10.0.0.0/8, fd00::/7 ,linklocal,uniquelocal', ['10.0.0.0/8', 'fd00::/7', 'linklocal', 'uniquelocal']],
    ['10.0.0.0/255.128.0.0', ['10.0.0.0/255.128.0.0']],
    ['::1/128', ['::1/128']],
    ['::ffff:10.0.0.1', ['::ffff:10.0.0.1']],
  ])('takes %s, which Fastify takes too', (text, proxies) => {
    const { trustProxy } = load(text);
    expect(trustProxy).toEqual(proxies);
    expect(() => fastify({ trustProxy })).not.toThrow();
  });

  it.each([
    'dead',
    '1.2.3.4.5',
    '10.0.0.1,',
    'localnet',
    '10.0.0.0/33',
    '10.0.0.0/0',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/255.0.255.0',
    'fd00::/129',
    'fd00::/255.0.0.0',
    '300.0.0.1',
  ])('refuses %s, naming the variable', (text) => {
    expect(() => load(text)).toThrow(
      expect.objectContaining({
        code: 'CONFIGURATION',
        message: expect.stringContaining('TRUST_PROXY must be a comma-separated list of addresses'),
      }),
    );
  });
});
