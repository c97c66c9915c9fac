import { type VenueDatabase, type StateChange, type VenueState, applyChange } from './venue-store.js';

/** The state of a single server; it starts anew with the process. */
export class MemoryDatabase implements VenueDatabase {
  readonly isShared = false;
  private state: VenueState;

  constructor(initial: StateChange) {
    this.state = applyChange({ version: 0, tables: new Map(), reservations: new Map() }, initial);
  }

  async read(): Promise<VenueState> {
    return this.state;
  }

  async write(version: number, change: StateChange): Promise<boolean> {
    if (version !== this.state.version) return false;
    this.state = applyChange(this.state, change);
    return true;
  }
}
