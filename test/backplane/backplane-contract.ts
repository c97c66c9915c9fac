import { afterAll, beforeAll, describe, it } from 'vitest';
import {
  backplaneContract,
  type BackplaneContractOptions,
  type BackplaneGround,
} from '../../lib/testing/backplane-contract.js';

/** Declares the cases of the contract for one driver. */
export function describeBackplane(
  driver: string,
  prepare: () => Promise<BackplaneGround & { stop?(): Promise<void> }>,
  options?: BackplaneContractOptions,
): void {
  describe(`${driver}, as a Backplane`, () => {
    let ground: Awaited<ReturnType<typeof prepare>>;
    beforeAll(async () => {
      ground = await prepare();
    }, 60_000);
    afterAll(async () => {
      await ground.stop?.();
    });
    for (const { title, run, timeoutMs } of backplaneContract(() => ground, options)) {
      it(title, run, timeoutMs);
    }
  });
}
