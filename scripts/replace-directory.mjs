import { renameSync, rmSync } from 'node:fs';

/**
 * Puts a fresh build where the old one is. Several may end at the same time, as with two `npm start` of one clone: all of
 * them are alike, so one that finds another's in its place is thrown away.
 */
export function replaceDirectory(fresh, place) {
  const old = `${fresh}-old`;
  try {
    renameSync(place, old);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  try {
    renameSync(fresh, place);
  } catch (error) {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    rmSync(fresh, { recursive: true });
  }
  rmSync(old, { recursive: true, force: true });
}
