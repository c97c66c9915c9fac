import type { StaffMember } from '../src/venue-file.js';
import { element, find } from './element.js';

const KEY = 'venue.user';

/** The user of this window; stored per window first, so that two people can share one browser. */
export function rememberedUser(): string | null {
  return sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY);
}

export function rememberUser(userId: string): void {
  sessionStorage.setItem(KEY, userId);
  localStorage.setItem(KEY, userId);
}

export function forgetUser(): void {
  sessionStorage.removeItem(KEY);
  localStorage.removeItem(KEY);
}

/** Shows the staff and resolves with the chosen or entered user. */
export function chooseUser(staff: readonly StaffMember[]): Promise<string> {
  const section = find('sign-in', HTMLElement);
  const form = find('name-form', HTMLFormElement);
  const name = find('name', HTMLInputElement);
  section.hidden = false;

  return new Promise((resolve) => {
    const choose = (userId: string) => {
      section.hidden = true;
      rememberUser(userId);
      resolve(userId);
    };
    find('staff', HTMLUListElement).replaceChildren(
      ...staff.map((member) => element('li', {}, staffButton(member, choose))),
    );
    form.onsubmit = (event) => {
      event.preventDefault();
      choose(name.value.trim());
    };
  });
}

function staffButton(
  { userId, name, role }: StaffMember,
  choose: (userId: string) => void,
): HTMLButtonElement {
  const button = element(
    'button',
    { type: 'button', className: 'person' },
    avatar(name),
    element('span', { className: 'person-name', textContent: name }),
    element('span', { className: 'person-role', textContent: role }),
  );
  button.onclick = () => choose(userId);
  return button;
}

export function avatar(name: string): HTMLElement {
  const initials = name
    .split(/\s+/)
    .map(([first = '']) => first)
    .join('')
    .slice(0, 2)
    .toUpperCase();
  const circle = element('span', { className: 'avatar', textContent: initials });
  circle.ariaHidden = 'true';
  return circle;
}
