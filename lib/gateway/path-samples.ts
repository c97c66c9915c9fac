import type { Token } from 'path-to-regexp';

// A path that matches a wildcard of one segment and of so many has a wildcard itself.
const WILDCARD_VALUES = ['~', Array.from({ length: 33 }, () => '~').join('/')];

/** Pathnames of every kind that a declared path matches: a path that matches all of them covers it. */
export function samplesOf(tokens: readonly Token[]): string[] {
  let samples = [''];
  for (const token of tokens) {
    const endings = endingsOf(token);
    samples = samples.flatMap((sample) => endings.map((ending) => sample + ending));
  }
  return samples;
}

function endingsOf(token: Token): string[] {
  switch (token.type) {
    case 'text':
      return [token.value];
    case 'param':
      return ['~'];
    case 'wildcard':
      return WILDCARD_VALUES;
    case 'group':
      return ['', ...samplesOf(token.tokens)];
  }
}
