import { renameSync, rmSync } from 'node:fs';

/**
 * Replaces a directory with a new build. If several builds end at the same time, as with two `npm start` in one clone,
 * one of them is kept, since they are equal.
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
