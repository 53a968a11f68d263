import { checkUrl, isPublicAddress, type OutboundRules, OutboundUrlError } from '../../../src/common/index';

const DEV: OutboundRules = { allowedHosts: [], isHttpAllowed: true };

/** Every way to write an address that is not public, or not plainly a host. */
const REFUSED = [
  'http://127.0.0.1/',
  'http://127.1/',
  'http://127.0.0.1./',
  'http://2130706433/',
  'http://0x7f000001/',
  'http://0x7f.0.0.1/',
  'http://0177.0.0.1/',
  'http://017700000001/',
  'http://127。0。0。1/',
  'http://①②⑦.0.0.1/',
  'http://0/',
  'http://0.0.0.0:8080/',
  'http://10.1.2.3/',
  'http://172.16.0.1/',
  'http://172.31.255.255/',
  'http://192.168.1.1/',
  'http://100.64.0.1/',
  'http://100.100.100.200/latest/meta-data',
  'http://169.254.169.254/latest/meta-data',
  'http://0xa9fea9fe/',
  'http://2852039166/',
  'http://168.63.129.16/',
  'http://192.0.0.192/',
  'http://192.0.2.1/',
  'http://192.88.99.1/',
  'http://198.18.0.1/',
  'http://198.51.100.1/',
  'http://203.0.113.1/',
  'http://224.0.0.1/',
  'http://240.0.0.1/',
  'http://255.255.255.255/',
  'http://localhost/',
  'http://LOCALHOST:80/',
  'http://localhost./',
  'http://api.localhost/',
  'http://[::]/',
  'http://[::1]/',
  'http://[0:0:0:0:0:0:0:1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://[::ffff:8.8.8.8]/',
  'http://[::127.0.0.1]/',
  'http://[64:ff9b::7f00:1]/',
  'http://[64:ff9b::808:808]/',
  'http://[64:ff9b:1::1]/',
  'http://[2002:7f00:1::]/',
  'http://[2001::1]/',
  'http://[2001:db8::1]/',
  'http://[3fff::1]/',
  'http://[fc00::1]/',
  'http://[fd00:ec2::254]/',
  'http://[fe80::1]/',
  'http://[fe80::1%25eth0]/',
  'http://[fec0::1]/',
  'http://[ff02::1]/',
  'http://user@example.com/',
  'http://user:secret@example.com/',
  'http://:secret@example.com/',
  'http://127.0.0.1@example.com/',
  'http://example.com\\@127.0.0.1/',
  'http://exa mple.com/',
  'http://example.com/\r\nHost: other',
  ' http://example.com/',
  'ftp://example.com/',
  'file:///etc/passwd',
  'gopher://example.com/',
  'data:text/plain,hello',
  'javascript:alert(1)',
  '//example.com/hook',
  '/hook',
  'example.com',
  'http://',
  'http://256.1.1.1/',
  '',
  `http://example.com/${'a'.repeat(2048)}`,
];

describe('checkUrl', () => {
  it.each(REFUSED)('refuses %j', (url) => {
    expect(() => checkUrl(url, DEV)).toThrow(OutboundUrlError);
  });

  it.each([
    ['https://example.com', 'https://example.com/'],
    ['HTTPS://Example.COM:443/Hook?a=1#part', 'https://example.com/Hook?a=1'],
    ['http://example.com:8080/x', 'http://example.com:8080/x'],
    ['https://example.com./x', 'https://example.com./x'],
    ['https://8.8.8.8/', 'https://8.8.8.8/'],
    ['https://[2606:4700::1111]/', 'https://[2606:4700::1111]/'],
    ['https://bücher.example/', 'https://xn--bcher-kva.example/'],
    ['https://localhost.example.com/', 'https://localhost.example.com/'],
  ])('takes %s', (url, normal) => {
    expect(checkUrl(url, DEV).href).toBe(normal);
  });

  it('asks for https where http is not allowed', () => {
    const rules = { allowedHosts: [], isHttpAllowed: false };
    expect(() => checkUrl('http://example.com/', rules)).toThrow('https is required');
    expect(checkUrl('https://example.com/', rules).protocol).toBe('https:');
  });

  describe('with hosts that the administrator allows', () => {
    const rules: OutboundRules = {
      allowedHosts: ['hooks.internal', 'localhost:9000', '[::1]', '10.0.0.5:443'],
      isHttpAllowed: false,
    };

    it.each([
      'http://hooks.internal/',
      'http://HOOKS.internal.:81/',
      'http://localhost:9000/x',
      'http://[::1]:7/',
      'https://10.0.0.5/',
      'https://0xa000005/',
    ])('takes %s', (url) => {
      expect(() => checkUrl(url, rules)).not.toThrow();
    });

    it.each([
      'http://localhost/',
      'http://localhost:9001/',
      'https://10.0.0.5:444/',
      'https://10.0.0.6/',
      'http://x.hooks.internal/',
      'http://a:b@hooks.internal/',
      'ftp://hooks.internal/',
    ])('refuses %s', (url) => {
      expect(() => checkUrl(url, rules)).toThrow(OutboundUrlError);
    });
  });
});

describe('isPublicAddress', () => {
  it.each(['8.8.8.8', '172.15.255.255', '172.32.0.0', '100.63.255.255', '2606:4700::1111', '2a00::1'])(
    'knows %s as public',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  it.each(['::ffff:10.0.0.1', 'fe80::1%eth0', '2606:4700::1111%eth0', 'example.com', '', '127.1'])(
    'does not know %s as public',
    (address) => {
      expect(isPublicAddress(address)).toBe(false);
    },
  );
});
