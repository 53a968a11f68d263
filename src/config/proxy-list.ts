/** The proxies whose word on a client's address counts, as Fastify takes them: what it would refuse at start, too. */
import { isIP, isIPv4 } from 'node:net';
import { ValidateBy } from 'class-validator';

const NAMES = new Set(['loopback', 'linklocal', 'uniquelocal']);
const ADDRESS_BITS: Readonly<Record<number, number>> = { 4: 32, 6: 128 };
const CONTIGUOUS = /^1+0*$/;

/** The field is a comma-separated list of addresses, ranges and names of ranges. */
export const IsProxyList = (): PropertyDecorator =>
  ValidateBy({
    name: 'isProxyList',
    validator: {
      validate: (value: unknown) =>
        typeof value === 'string' && value.split(',').every((item) => isProxy(item.trim())),
      defaultMessage: () =>
        '$property must be a comma-separated list of addresses, CIDR ranges, loopback, linklocal or uniquelocal',
    },
  });

function isProxy(item: string): boolean {
  if (NAMES.has(item)) return true;
  const [address = '', range, ...more] = item.split('/');
  const bits = ADDRESS_BITS[isIP(address)];
  if (bits === undefined || more.length > 0) return false;
  if (range === undefined) return true;
  if (isIPv4(range)) return bits === 32 && isNetmask(range);
  return /^\d{1,3}$/.test(range) && Number(range) >= 1 && Number(range) <= bits;
}

function isNetmask(text: string): boolean {
  const octets = text.split('.').map((octet) => Number(octet).toString(2).padStart(8, '0'));
  return CONTIGUOUS.test(octets.join(''));
}
