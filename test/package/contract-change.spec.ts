import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RepositoryCopy } from './repository-copy.js';

const VENUE = 'sample/01-venue';
const CONTRACT = `${VENUE}/src/contract.ts`;

let copy: RepositoryCopy;
let original: string;
beforeAll(() => {
  copy = new RepositoryCopy('sample');
  copy.build();
  original = copy.read(CONTRACT);
}, 120_000);
afterAll(() => copy?.remove());
beforeEach(() => copy.write(CONTRACT, original));

function change(from: RegExp, to: string): void {
  const changed = original.replace(from, to);
  expect(changed, `${CONTRACT} has no ${from} any more`).not.toBe(original);
  copy.write(CONTRACT, changed);
}

const SERVER = VENUE;
const PAGE = `${VENUE}/web`;

/** The files of the venue sample that do not compile. */
function broken(...projects: string[]): string[] {
  const output = projects.map((project) => copy.tsc(project).output).join('');
  const files = [...output.matchAll(/^(\S+?)\(\d+,\d+\): error/gm)].map(([, file = '']) => file);
  return [...new Set(files)].map((file) => file.slice(file.indexOf(VENUE) + VENUE.length + 1)).sort();
}

describe('the venue', { timeout: 120_000 }, () => {
  it('compiles as it is', () => {
    expect(broken(SERVER, PAGE)).toEqual([]);
  });

  it('does not compile in the gateway when a client message has another payload', () => {
    change(/('table:set_status': \{ payload: )SetTableStatus/, '$1CreateReservation');
    expect(broken(SERVER)).toContain('src/venue.gateway.ts');
  });

  it('does not compile in the sender and in the page when a server message has another payload', () => {
    change(/('table:status_changed': \{ payload: )TableStatusChanged/, '$1Notification');
    const files = broken(SERVER, PAGE);
    expect(files).toContain('src/tables/tables.service.ts');
    expect(files).toContain('web/floor-state.ts');
  });

  it('does not compile in gateway, sender and page when a payload loses a property', () => {
    change(/(class SetTableStatus \{[^}]*?)status!/, '$1state!');
    const files = broken(SERVER, PAGE);
    expect(files).toContain('src/venue.gateway.ts');
    expect(files).toContain('src/tables/tables.service.ts');
    expect(files).toContain('web/floor-state.ts');
  });
});
