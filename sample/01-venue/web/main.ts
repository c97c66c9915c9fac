import type { Reservation, ReservationStatus, VenueEvent } from '../src/contract.js';
import { VenueConnection } from './connection.js';
import { ConnectionBadge } from './connection-badge.js';
import { find } from './element.js';
import { Evening } from './evening.js';
import { FloorPlan } from './floor-plan.js';
import { House } from './house.js';
import { Messages } from './messages.js';
import { inWords } from './refusal.js';
import { showReservationList } from './reservation-list.js';
import type { RowContext } from './reservation-row.js';
import { ReserveForm } from './reserve-form.js';
import { askWhoWorks, avatar, forgetUser, rememberedUser } from './sign-in.js';
import { TablePanel } from './table-panel.js';
import { showTally } from './tally.js';
import { nameOf, today } from './wording.js';

const LOOK_AGAIN_MS = 30_000;

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
const badge = new ConnectionBadge(() => void connection.open());
const messages = new Messages(house, staff, me);

const connection = new VenueConnection({
  token: () => house.signIn(me),
  onHello: () => evening.catchUp(readFloor),
  onMessage: hear,
  onState: (state) => {
    badge.show(state);
    if (state.name === 'signed out') messages.warn(state.why);
  },
});

const rows: RowContext = {
  tableName: (tableId) => `Table ${evening.table(tableId)?.number ?? '?'}`,
  change: (reservation, status) => void changeReservation(reservation, status),
};
const plan = new FloorPlan(find('areas', HTMLElement), areas, evening, select);
const form = new ReserveForm(evening, (wish) => connection.request('reservation:create', wish));
const panel = new TablePanel(evening, areas, {
  ...rows,
  setStatus: (tableId, status) => connection.request('table:set_status', { tableId, status }),
  reserve: (tableId) => {
    select(undefined); // on a phone the panel would lie over the form
    form.startAt(tableId);
  },
  onClose: () => select(undefined),
});
showReservationList(evening, rows);
showTally(evening);
await connection.open();
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

async function changeReservation({ id }: Reservation, status: ReservationStatus): Promise<void> {
  try {
    await house.changeReservation(id, { status });
  } catch (error) {
    messages.warn(inWords(error));
  }
}
