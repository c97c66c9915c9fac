/** Makes the result of one publication. Not a promise of its own: thousands of publications wait at a time. */
export interface PublishSettlement<T> {
  /** Redis has published it to so many subscribed connections. */
  fulfilled(receivers: number): T | Promise<T>;
  /** Throws, or returns what a failure amounts to. */
  rejected(error: Error): T;
}

/** The number of subscribed connections, or the error as it is. */
export const RECEIVERS: PublishSettlement<number> = {
  fulfilled: (receivers) => receivers,
  rejected: (error) => {
    throw error;
  },
};

/** Settles a publication that was not sent. */
export async function rejectPublication<T>(settlement: PublishSettlement<T>, error: Error): Promise<T> {
  return settlement.rejected(error);
}
