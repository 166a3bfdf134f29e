import type { IncomingHttpHeaders } from 'node:http';
import { BlockList, isIP, SocketAddress } from 'node:net';

/** A forwarded-pair of RFC 7239, and its separator. */
const FORWARDED_PAIR = /\s*([\w!#$%&'*+.^`|~-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))\s*(;|,|$)/y;

/** An address, perhaps with a port: `192.0.2.1:80`, `[2001:db8::1]:80`. */
const NODE = /^(?:\[([^\]]+)\]|([^:]+))(?::\w+)?$/;

/**
 * Parses addresses and CIDRs with commas between them.
 *
 * @param onInvalid called with the position of each invalid entry, from 1 on
 */
export function parseTrustedProxies(text: string, onInvalid: (position: number) => void): BlockList {
  const proxies = new BlockList();
  for (const [index, entry] of text.split(',').entries()) {
    const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(entry.trim()) ?? [];
    const version = isIP(address);
    const maxBits = version === 4 ? 32 : 128;
    if (version === 0 || address.includes('%') || Number(bits ?? 0) > maxBits) onInvalid(index + 1);
    else proxies.addSubnet(address, Number(bits ?? maxBits), version === 4 ? 'ipv4' : 'ipv6');
  }
  return proxies;
}

/**
 * Returns the address of the client behind trusted proxies: the last address in `X-Forwarded-For` or `Forwarded` that is
 * not a trusted proxy. A client can send both headers, and a proxy usually extends only one: if they disagree, neither is
 * believed.
 *
 * @param peer the address at the other end of the connection
 */
export function clientAddressBehind(proxies: BlockList, peer: string, headers: IncomingHttpHeaders): string {
  const lists = [
    (headers['x-forwarded-for'] as string | undefined)?.split(','),
    forwardedFor(headers['forwarded']),
  ];
  const clients = new Set(lists.flatMap((list) => (list ? [lastUntrusted(proxies, peer, list)] : [])));
  const [client] = clients;
  return clients.size === 1 ? client! : canonicalAddress(peer)!;
}

function lastUntrusted(proxies: BlockList, peer: string, list: readonly string[]): string {
  let client = canonicalAddress(peer)!;
  for (const entry of list.toReversed()) {
    if (!proxies.check(client, isIP(client) === 4 ? 'ipv4' : 'ipv6')) break;
    const [, v6, other] = NODE.exec(entry.trim()) ?? [];
    const address = canonicalAddress(v6 ?? other ?? entry.trim());
    // The address of this hop is unknown: the proxy that the header came through is the last that is known.
    if (address === undefined) break;
    client = address;
  }
  return client;
}

/** @returns the `for` of each element; undefined without the header, and no entries if it is malformed */
function forwardedFor(header: string | undefined): string[] | undefined {
  if (header === undefined) return undefined;
  const entries: string[] = [];
  let node = '';
  FORWARDED_PAIR.lastIndex = 0;
  for (;;) {
    const [, name = '', quoted, token = '', separator] = FORWARDED_PAIR.exec(header) ?? [];
    if (separator === undefined) return [];
    if (name.toLowerCase() === 'for') node = quoted ?? token;
    if (separator === ';') continue;
    entries.push(node);
    node = '';
    if (separator === '') return entries;
  }
}

/** Returns the one spelling of an IP address, and IPv4 for an IPv4-mapped IPv6 address; undefined for other text. */
export function canonicalAddress(text: string): string | undefined {
  const [address = ''] = text.split('%');
  if (isIP(address) !== 6) return isIP(address) === 4 ? address : undefined;
  return new SocketAddress({ address, family: 'ipv6' }).address.replace(/^::ffff:(?=\d+\.)/, '');
}
