/**
 * Throws when a URL has a parameter that the library sets: ioredis takes any option from a URL
 * (`redis://host?keyPrefix=…`) and prefers it to an option given separately.
 */
export function refuseParameters(url: string, fixed: object): void {
  const query = url.indexOf('?');
  if (query < 0) return;
  const [text = ''] = url.slice(query + 1).split('#');
  for (const name of new URLSearchParams(text).keys()) {
    if (!Object.hasOwn(fixed, name)) continue;
    const hint = name === 'keyPrefix' ? '; to keep apps apart in one Redis, set the option redisPrefix' : '';
    throw new Error(
      `Expected a Redis URL without "${name}", which nestjs-realtime sets itself: remove it from the URL${hint}.`,
    );
  }
}
