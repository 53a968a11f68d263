import { addressGroup, bucketName } from '../../../src/auth/brute-force/attempt-buckets';
import { testConfig } from './support';

describe(addressGroup.name, () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['not an address', 'not an address'],
  ])('counts %s as %s', (address, group) => {
    expect(addressGroup(address)).toBe(group);
  });
});

describe(bucketName.name, () => {
  const { keys } = testConfig();

  it('shows the kind, never what is counted', () => {
    expect(bucketName(keys, 'pair', 'ada@example.com', '192.0.2.7')).toMatch(/^pair:[\w-]{43}$/);
  });

  it('tells apart what is counted, by kind and by every part', () => {
    const names = [
      bucketName(keys, 'pair', 'a', 'bc'),
      bucketName(keys, 'pair', 'ab', 'c'),
      bucketName(keys, 'account', 'a', 'bc'),
    ];
    expect(new Set(names).size).toBe(3);
    expect(bucketName(keys, 'pair', 'a', 'bc')).toBe(names[0]);
  });
});
