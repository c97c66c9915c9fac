import type { Page } from 'playwright-core';

const CONTROLS = new Set([
  'button',
  'link',
  'textbox',
  'combobox',
  'spinbutton',
  'Time',
  'InputTime',
  'listbox',
]);

/** The HTML of every control that has no accessible name, as Chromium computes names. */
export async function namelessControls(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  const nameless = nodes.filter(
    ({ ignored, role, name }) =>
      !ignored && CONTROLS.has(String(role?.value)) && !String(name?.value ?? '').trim(),
  );
  if (nodes.length < 20)
    throw new Error('The page has hardly any content; looking for names proves nothing.');
  return Promise.all(
    nameless.map(async ({ backendDOMNodeId }) => {
      const { outerHTML } = await session.send('DOM.getOuterHTML', { backendNodeId: backendDOMNodeId ?? 0 });
      return outerHTML;
    }),
  );
}
