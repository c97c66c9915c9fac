import { RealtimeClient } from 'nestjs-realtime/client';
import type { Reservation, ReservationStatus, venue, VenueEvent } from '../src/contract.js';
import { ConnectionBadge } from './connection-badge.js';
import { find } from './element.js';
import { Evening } from './evening.js';
import { FloorPlan } from './floor-plan.js';
import { House } from './house.js';
import { Messages } from './messages.js';
import { NOT_CONNECTED, patiently } from './patience.js';
import { inWords } from './refusal.js';
import { showReservationList } from './reservation-list.js';
import type { RowContext } from './reservation-row.js';
import { ReserveForm } from './reserve-form.js';
import { askWhoWorks, avatar, forgetUser, rememberedUser } from './sign-in.js';
import { watchStanding } from './standing.js';
import { TablePanel } from './table-panel.js';
import { showTally } from './tally.js';
import { nameOf, today } from './wording.js';

const LOOK_AGAIN_MS = 30_000;
/** A change of the floor that comes later than this would undo what others have done since. */
const FLOOR_PATIENCE_MS = 30_000;
/** A reservation is for later: it may wait for a connection, and is checked when it arrives. */
const RESERVATION_PATIENCE_MS = 15 * 60_000;

const house = new House();
const { name, staff, areas } = await house.file();
for (const brand of document.querySelectorAll('.brand-name')) brand.textContent = name;

const me = rememberedUser() ?? (await askWhoWorks(staff));
const myName = nameOf(me, staff);
find('venue', HTMLElement).hidden = false;
find('today', HTMLElement).textContent = today();
find('me', HTMLElement).replaceChildren(avatar(myName), myName);
find('sign-out', HTMLButtonElement).onclick = () => {
  forgetUser();
  location.reload();
};

const evening = new Evening();
const client = new RealtimeClient<typeof venue>('/ws', {
  token: (request) => house.token(me, request),
  requestTimeoutMs: FLOOR_PATIENCE_MS,
});
const badge = new ConnectionBadge(() => client.wake());
const messages = new Messages(house, staff, me);

watchStanding(
  client,
  () => evening.catchUp(readFloor),
  (standing) => {
    badge.show(standing);
    if (standing.status === 'closed') messages.warn(`You are signed out. ${standing.reason}`);
  },
);

const rows: RowContext = {
  tableName: (tableId) => `Table ${evening.table(tableId)?.number ?? '?'}`,
  change: (reservation, status) => void changeReservation(reservation, status),
};
const plan = new FloorPlan(find('areas', HTMLElement), areas, evening, select);
const form = new ReserveForm(evening, (wish, onAway) => {
  const terms = { timeoutMs: RESERVATION_PATIENCE_MS };
  return patiently(client, client.request('reservation:create', wish, terms), onAway);
});
const panel = new TablePanel(evening, areas, {
  ...rows,
  setStatus: (tableId, status, onAway) =>
    patiently(client, client.request('table:set_status', { tableId, status }), onAway),
  warn: (text) => messages.warn(text),
  reserve: (tableId) => {
    select(undefined); // on a phone the panel would lie over the form
    form.startAt(tableId);
  },
  onClose: () => select(undefined),
});
showReservationList(evening, rows);
showTally(evening);
client.onAny(hear); // from here on it is connected
// Whoever changed the floor may have died before it was said.
window.setInterval(() => void evening.lookAgain(readFloor), LOOK_AGAIN_MS);

function hear(event: VenueEvent): void {
  if (event.type === 'notification') messages.receive(event.payload);
  else evening.hear(event);
}

async function readFloor() {
  const [tables, reservations] = await Promise.all([house.tables(), house.reservations()]);
  return { tables, reservations };
}

function select(tableId: string | undefined): void {
  plan.select(tableId);
  panel.select(tableId);
}

async function changeReservation({ id, guestName }: Reservation, status: ReservationStatus): Promise<void> {
  const tooLate = AbortSignal.timeout(FLOOR_PATIENCE_MS);
  try {
    await patiently(client, connected(tooLate), () => messages.warn(`${guestName}: ${NOT_CONNECTED}`));
  } catch {
    return messages.warn(`${guestName}: no connection came in time. Nothing was changed.`);
  }
  try {
    await house.changeReservation(id, { status });
  } catch (error) {
    messages.warn(`${guestName}: ${inWords(error)}`);
  }
}

function connected(signal: AbortSignal): Promise<unknown> {
  const aborted = new Promise((_resolve, reject) => {
    signal.onabort = () => reject(new Error('not connected in time', { cause: signal.reason }));
  });
  return Promise.race([client.connect(), aborted]);
}
