import ipaddr from 'ipaddr.js';

// RFC 6052: all of IPv4 behind one prefix, as a translator in front of an IPv6-only server writes it.
const NAT64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');
const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/**
 * What the connections of one client are counted by: its IPv4 address, or the /64 of its IPv6 address. A /64 is what one
 * customer gets, with more addresses than there can be connections.
 */
export function networkOf(ip: string): string {
  if (!ip.includes(':')) return ip;
  let address: ReturnType<typeof ipaddr.parse>;
  try {
    address = ipaddr.parse(ip);
  } catch {
    return ip;
  }
  if (address.kind() === 'ipv4') return address.toString();
  const { parts } = address as InstanceType<typeof ipaddr.IPv6>;
  if ((address as InstanceType<typeof ipaddr.IPv6>).isIPv4MappedAddress() || address.match(NAT64)) {
    return new ipaddr.IPv4(parts.slice(6).flatMap((part) => [part >> 8, part & 0xff])).toString();
  }
  return `${parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`;
}

/** An IPv4 address as such when a socket that listens on IPv6 too wrote it as `::ffff:192.0.2.1`. */
export function unmapped(ip: string): string {
  return MAPPED_IPV4.exec(ip)?.[1] ?? ip;
}
