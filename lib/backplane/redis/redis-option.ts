import { isRedisClient, type RedisConfiguration, type RedisSettings } from './client/redis-configuration.js';

const EXPECTED = 'RealtimeModule expected the option redis to be';
const A_URL = 'a URL that begins with redis:// or rediss://';
const EXAMPLE = 'such as redis://localhost:6379';
const DEFAULT_PORT = 6_379;

/** Throws a sentence that names the fix; no part of it is a password. */
export function checkRedisOption(redis: unknown): void {
  if (redis === undefined) return;
  if (typeof redis === 'string') checkUrl(redis);
  else if (typeof redis === 'object' && redis !== null && !Array.isArray(redis)) checkObject(redis);
  else {
    const got = redis === null ? 'null' : Array.isArray(redis) ? 'an array' : typeof redis;
    throw new TypeError(
      `${EXPECTED} ${A_URL}, the options of ioredis, or a Redis or Cluster of it, got ${got}.`,
    );
  }
}

/** Its address, for the log, without user name and password. */
export function describeRedis(redis: RedisConfiguration): string {
  if (typeof redis === 'string') return describeUrl(redis);
  if (!isRedisClient(redis)) return describeSettings(redis);
  if (!redis.isCluster) return describeSettings((redis as unknown as { options: RedisSettings }).options);
  const { startupNodes } = redis as { startupNodes?: readonly unknown[] };
  return `${(startupNodes ?? []).map(addressOf).join(', ')} (cluster)`.trim();
}

/** Whether it is the path of a Unix socket, which ioredis takes in place of a URL. */
export function isSocketPath(redis: string): boolean {
  return redis.startsWith('/') && !redis.startsWith('//');
}

function checkUrl(text: string): void {
  if (text.trim() === '') {
    throw new TypeError(
      `${EXPECTED} ${A_URL}, ${EXAMPLE}, got an empty string: set the environment variable it comes from.`,
    );
  }
  if (isSocketPath(text)) return;
  const [, scheme] = /^\s*([a-z][a-z\d+.-]*):\/\//i.exec(text) ?? [];
  const got = scheme === undefined ? 'one without a scheme' : `"${scheme}://"`;
  if (scheme === undefined || !/^rediss?$/i.test(scheme)) {
    throw new TypeError(`${EXPECTED} ${A_URL}, ${EXAMPLE}, got ${got}: write redis:// before the host.`);
  }
  if (!URL.canParse(text) || new URL(text).hostname === '') {
    throw new TypeError(
      `${EXPECTED} ${A_URL} and names a host, ${EXAMPLE}, got one that cannot be read: ` +
        'encode special characters of the password with encodeURIComponent().',
    );
  }
}

function checkObject(redis: object): void {
  const given = redis as Record<string, unknown>;
  if (redis instanceof URL) throw new TypeError(`${EXPECTED} a string, got a URL object: give its href.`);
  if (typeof given['duplicate'] === 'function') {
    // A client of another library has a similar interface, but no settings that ioredis can copy.
    if (typeof given['status'] === 'string') return;
    throw new TypeError(
      `${EXPECTED} a Redis or Cluster of ioredis, got a client of another library: give its URL, ${EXAMPLE}.`,
    );
  }
  if (given['url'] !== undefined) {
    throw new TypeError(
      `${EXPECTED} a URL or the options of ioredis, which has no url: give the URL itself.`,
    );
  }
  const { host, port, sentinels, name } = given;
  if (host !== undefined && (typeof host !== 'string' || host === '')) {
    throw new TypeError(
      `RealtimeModule expected the option redis.host to be a host name, got ${host === '' ? 'an empty string' : typeof host}.`,
    );
  }
  if (port !== undefined && !isPort(port)) {
    throw new TypeError(
      `RealtimeModule expected the option redis.port to be 1 to 65535, got ${String(port)}.`,
    );
  }
  if (sentinels !== undefined && (!Array.isArray(sentinels) || typeof name !== 'string' || name === '')) {
    throw new TypeError(
      'RealtimeModule expected the option redis.sentinels to be a list, and redis.name to be the name of their group, such as "mymaster".',
    );
  }
}

function isPort(port: unknown): boolean {
  const value = typeof port === 'string' ? Number(port) : port;
  return Number.isInteger(value) && (value as number) > 0 && (value as number) < 65_536;
}

function describeUrl(text: string): string {
  if (isSocketPath(text)) return `unix:${text.replace(/\?.*/s, '')} (standalone)`;
  const { protocol, host, port, pathname } = new URL(text);
  const database = pathname.length > 1 ? pathname : '';
  return `${protocol}//${host}${port === '' ? `:${DEFAULT_PORT}` : ''}${database} (standalone)`;
}

function describeSettings({ path, tls, sentinels, name, db, ...address }: RedisSettings): string {
  if (sentinels) return `${sentinels.map(addressOf).join(', ')} (Sentinel, group ${String(name)})`;
  if (typeof path === 'string') return `unix:${path} (standalone)`;
  return `${tls ? 'rediss' : 'redis'}://${addressOf(address)}${db ? `/${db}` : ''} (standalone)`;
}

/** The address of a node of a cluster or group, given as a URL, a port or an object. */
function addressOf(node: unknown): string {
  if (typeof node === 'string' && URL.canParse(node)) return new URL(node).host;
  if (typeof node !== 'object' || node === null) return typeof node === 'number' ? `localhost:${node}` : '';
  const { host = 'localhost', port = DEFAULT_PORT } = node as { host?: string | null; port?: unknown };
  return `${host ?? 'localhost'}:${String(port)}`;
}
