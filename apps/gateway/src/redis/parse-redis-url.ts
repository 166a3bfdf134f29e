import { isIPv6 } from 'node:net';

const DEFAULT_PORT = 6379;
const MAX_PORT = 65_535;

const URL_PARTS =
  /^redis(?<s>s?):\/\/(?:(?<user>[^\s:@/?#]*)(?::(?<password>[^\s@/?#]*))?@)?(?<hosts>[^\s@/?#]+)(?:\/(?<database>\d{0,4}))?(?<cluster>\?cluster=true)?$/i;

const HOST_AND_PORT = /^(?:(?<name>[\w.-]+)|\[(?<ipv6>[\da-f:.]+)\])(?::(?<port>\d{1,5}))?$/i;

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

/** Where Redis is, and how to connect to it. */
export interface RedisTarget {
  /** The addresses as they are in the URL, for logs. */
  readonly hosts: string;
  /** One server, or nodes of a cluster. */
  readonly addresses: readonly RedisAddress[];
  readonly isCluster: boolean;
  readonly hasTls: boolean;
  readonly username: string;
  /** Returns '' without a password. A function shows nothing when it is logged. */
  readonly password: () => string;
  readonly database: number;
}

/**
 * Parses `redis://user:password@host:6379/0`, with `rediss:` for TLS. A cluster has one or more nodes and no database
 * number: `redis://host-1:6379,host-2:6379?cluster=true`. Special characters of the user and the password are
 * percent-encoded.
 *
 * @returns undefined if the text is not such a URL
 */
export function parseRedisUrl(text: string): RedisTarget | undefined {
  const parts = URL_PARTS.exec(text)?.groups;
  if (!parts) return undefined;
  const { s, user = '', password = '', hosts = '', database = '', cluster } = parts;
  const addresses = hosts.split(',').map(parseAddress);
  const isCluster = cluster !== undefined;
  if (isCluster ? Number(database) > 0 : addresses.length > 1) return undefined;
  const username = decode(user);
  const decodedPassword = decode(password);
  if (username === undefined || decodedPassword === undefined) return undefined;
  if (!addresses.every((address) => address !== undefined)) return undefined;
  return {
    hosts,
    addresses,
    isCluster,
    hasTls: s !== '',
    username,
    password: () => decodedPassword,
    database: Number(database),
  };
}

function parseAddress(text: string): RedisAddress | undefined {
  const { name, ipv6 = '', port = DEFAULT_PORT } = HOST_AND_PORT.exec(text)?.groups ?? {};
  const host = name ?? (isIPv6(ipv6) ? ipv6 : undefined);
  if (host === undefined || Number(port) < 1 || Number(port) > MAX_PORT) return undefined;
  return { host, port: Number(port) };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
