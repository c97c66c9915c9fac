// How long each library waits before its nth attempt (n from 0) after a connection was lost, read from its source.
// Each is a function that makes the rule of one client; undefined ends the attempts.
const { min, random } = Math;
const SIGNALR = [0, 2_000, 10_000, 30_000];
const PHOENIX = [10, 50, 100, 150, 200, 250, 500, 1_000, 2_000];

export const rules = {
  // backo2 with jitter 0.5, min 1 s, max 5 s
  'socket.io': () => (n) => {
    const base = 1_000 * 2 ** n;
    const deviation = random() * 0.5 * base;
    return min(5_000, random() < 0.5 ? base - deviation : base + deviation);
  },
  phoenix: () => (n) => PHOENIX[n] ?? 5_000,
  // withAutomaticReconnect()
  signalr: () => (n) => SIGNALR[n],
  partysocket: () => (n) => min(10_000, 3_000 * 1.3 ** n),
  'reconnecting-websocket': () => {
    const first = 1_000 + random() * 4_000;
    return (n) => min(10_000, first * 1.3 ** n);
  },
  centrifuge: () => (n) => min(20_000, 500 + random() * min(20_000, 500 * 2 ** n)),
};
