import { RealtimeClient } from 'nestjs-realtime/client';
import type { Reservation, ReservationStatus, venue, VenueEvent } from '../src/contract.js';
import { ConnectionBadge } from './connection-badge.js';
import { find } from './element.js';
import { FloorState } from './floor-state.js';
import { FloorPlan } from './floor-plan.js';
import { VenueApi } from './venue-api.js';
import { Messages } from './messages.js';
import { NOT_CONNECTED, awaitReply } from './pending-request.js';
import { errorText } from './error-text.js';
import { showReservationList } from './reservation-list.js';
import type { RowContext } from './reservation-row.js';
import { ReserveForm } from './reserve-form.js';
import { chooseUser, avatar, forgetUser, rememberedUser } from './sign-in.js';
import { watchStatus } from './page-status.js';
import { TablePanel } from './table-panel.js';
import { showStatusCounts } from './status-counts.js';
import { nameOf, today } from './labels.js';

const REFRESH_MS = 30_000;
/** A later change of a table's status could undo newer changes of others. */
const STATUS_TIMEOUT_MS = 30_000;
/** A reservation may wait longer for a connection, since the server checks it when it arrives. */
const RESERVATION_TIMEOUT_MS = 15 * 60_000;

const api = new VenueApi();
const { name, staff, areas } = await api.file();
for (const brand of document.querySelectorAll('.brand-name')) brand.textContent = name;

const me = rememberedUser() ?? (await chooseUser(staff));
const myName = nameOf(me, staff);
find('venue', HTMLElement).hidden = false;
find('today', HTMLElement).textContent = today();
find('me', HTMLElement).replaceChildren(avatar(myName), myName);
find('sign-out', HTMLButtonElement).onclick = () => {
  forgetUser();
  location.reload();
};

const floor = new FloorState();
const client = new RealtimeClient<typeof venue>('/ws', {
  token: (request) => api.token(me, request),
  requestTimeoutMs: STATUS_TIMEOUT_MS,
});
const badge = new ConnectionBadge(() => client.wake());
const messages = new Messages(api, staff, me);

watchStatus(
  client,
  () => floor.catchUp(readFloor),
  (pageStatus) => {
    badge.show(pageStatus);
    if (pageStatus.status === 'closed') messages.warn(`You are signed out. ${pageStatus.reason}`);
  },
);

const rows: RowContext = {
  tableName: (tableId) => `Table ${floor.table(tableId)?.number ?? '?'}`,
  change: (reservation, status) => void changeReservation(reservation, status),
};
const plan = new FloorPlan(find('areas', HTMLElement), areas, floor, select);
const form = new ReserveForm(floor, (request, onDisconnected) => {
  const options = { timeoutMs: RESERVATION_TIMEOUT_MS };
  return awaitReply(client, client.request('reservation:create', request, options), onDisconnected);
});
const panel = new TablePanel(floor, areas, {
  ...rows,
  setStatus: (tableId, status, onDisconnected) =>
    awaitReply(client, client.request('table:set_status', { tableId, status }), onDisconnected),
  warn: (text) => messages.warn(text),
  reserve: (tableId) => {
    select(undefined); // on a phone the panel would cover the form
    form.startAt(tableId);
  },
  onClose: () => select(undefined),
});
showReservationList(floor, rows);
showStatusCounts(floor);
client.onAny(receive); // the first listener connects the client
// A server that stored a change may have died before it sent the event.
window.setInterval(() => void floor.refresh(readFloor), REFRESH_MS);

function receive(event: VenueEvent): void {
  if (event.type === 'notification') messages.receive(event.payload);
  else floor.receive(event);
}

async function readFloor() {
  const [tables, reservations] = await Promise.all([api.tables(), api.reservations()]);
  return { tables, reservations };
}

function select(tableId: string | undefined): void {
  plan.select(tableId);
  panel.select(tableId);
}

async function changeReservation({ id, guestName }: Reservation, status: ReservationStatus): Promise<void> {
  const timeout = AbortSignal.timeout(STATUS_TIMEOUT_MS);
  try {
    await awaitReply(client, connected(timeout), () => messages.warn(`${guestName}: ${NOT_CONNECTED}`));
  } catch {
    return messages.warn(`${guestName}: no connection in time. Nothing was changed.`);
  }
  try {
    await api.changeReservation(id, { status });
  } catch (error) {
    messages.warn(`${guestName}: ${errorText(error)}`);
  }
}

function connected(signal: AbortSignal): Promise<unknown> {
  const aborted = new Promise((_resolve, reject) => {
    signal.onabort = () => reject(new Error('not connected in time', { cause: signal.reason }));
  });
  return Promise.race([client.connect(), aborted]);
}
