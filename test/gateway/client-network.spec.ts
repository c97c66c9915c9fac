import { describe, expect, it } from 'vitest';
import { networkOf, unmapped } from '../../lib/gateway/admission/client-network.js';

describe('connections are counted', () => {
  const cases: [what: string, ip: string, network: string][] = [
    ['by IPv4 address', '203.0.113.9', '203.0.113.9'],
    ['by the IPv4 address in a mapped one', '::ffff:203.0.113.9', '203.0.113.9'],
    ['by the IPv4 address in a mapped one in hex', '::FFFF:cb00:7109', '203.0.113.9'],
    ['by the IPv4 address behind NAT64', '64:ff9b::203.0.113.9', '203.0.113.9'],
    ['by the /64 of an IPv6 address', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['by the same /64 however it is written', '2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
    ['by the /64 of a short one', '2001:db8::1', '2001:db8:0:0::/64'],
    ['by the /64 of loopback', '::1', '0:0:0:0::/64'],
    ['without the zone of a link-local address', 'fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['by what is no address as it is', 'a:b', 'a:b'],
  ];
  it.each(cases)('%s', (_what, ip, network) => {
    expect(networkOf(ip)).toBe(network);
  });

  it('separately for two /64 networks', () => {
    expect(networkOf('2001:db8:1:2::1')).not.toBe(networkOf('2001:db8:1:3::1'));
  });
});

it.each([
  ['::ffff:203.0.113.9', '203.0.113.9'],
  ['203.0.113.9', '203.0.113.9'],
  ['2001:db8::1', '2001:db8::1'],
])('the app sees %s as %s', (ip, seen) => {
  expect(unmapped(ip)).toBe(seen);
});
