/** Which IP addresses belong to the public internet. Everything else may be a neighbour of ours. */
import { BlockList, isIP } from 'node:net';

/** Special-purpose ranges (IANA), and what clouds answer on with their metadata. */
const CLOSED_IPV4 = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8',
  '100.64.0.0/10', // carrier-grade NAT
  '127.0.0.0/8',
  '168.63.129.16/32', // Azure's host
  '169.254.0.0/16', // link-local, metadata
  '172.16.0.0/12',
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16',
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
];

/**
 * Only global unicast is open at all. That leaves out loopback, unspecified, unique-local, link-local, multicast, and
 * the forms that carry an IPv4 address: mapped (`::ffff:0:0/96`) and NAT64 (`64:ff9b::/96`, `64:ff9b:1::/48`).
 */
const OPEN_IPV6 = '2000::/3';
const CLOSED_IPV6 = [
  '2001::/23', // protocol assignments: Teredo, benchmarks, ORCHID
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4
  '3fff::/20', // documentation
];

const closedIpv4 = blockListOf(CLOSED_IPV4, 'ipv4');
const openIpv6 = blockListOf([OPEN_IPV6], 'ipv6');
const closedIpv6 = blockListOf(CLOSED_IPV6, 'ipv6');

/** @param address in plain notation, without brackets; anything else is not public. */
export function isPublicAddress(address: string): boolean {
  // With a zone the address is link-local, whatever it looks like.
  if (address.includes('%')) return false;
  switch (isIP(address)) {
    case 4:
      return !closedIpv4.check(address, 'ipv4');
    case 6:
      return openIpv6.check(address, 'ipv6') && !closedIpv6.check(address, 'ipv6');
    default:
      return false;
  }
}

function blockListOf(ranges: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = '', prefix = ''] = range.split('/');
    list.addSubnet(network, Number(prefix), family);
  }
  return list;
}
