/** A part of a node that runs. */
export interface Service {
  start?(): Promise<void> | void;
  /** Called before the app's modules are destroyed. */
  drain?(): Promise<void> | void;
  stop?(): Promise<void> | void;
}

/** Starts the services of a node in order and stops them in reverse. */
export class Services {
  constructor(private readonly services: readonly Service[]) {}

  async start(): Promise<void> {
    for (const service of this.services) await service.start?.();
  }

  async drain(): Promise<void> {
    for (const service of this.services) await service.drain?.();
  }

  /** Stops every service, also after one that fails; rejects with the first failure. */
  async stop(): Promise<void> {
    const failures: unknown[] = [];
    for (const service of this.services.toReversed()) {
      try {
        await service.stop?.();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
