const DEADLINE_MS = 15_000;
const LOOK_EVERY_MS = 10;

/** Resolves when the condition holds; rejects with the fact that did not come true. */
export async function until(
  fact: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = DEADLINE_MS,
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Not true within ${deadlineMs} ms: ${fact}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
