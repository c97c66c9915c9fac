import type { Table, TableShape } from '../src/contract.js';

const SVG = 'http://www.w3.org/2000/svg';
const CHAIR = { width: 0.5, depth: 0.24, gap: 0.08 };
const MARGIN = CHAIR.depth + CHAIR.gap + 0.06;

interface Size {
  readonly width: number;
  readonly height: number;
}

/** How much of the plan a table takes, chairs included. */
export function footprint({ shape, seats }: Table): Size {
  const { width, height } = tabletop(shape, seats);
  return { width: width + 2 * MARGIN, height: height + 2 * MARGIN };
}

/** A table from above with a chair for every seat; style.css colours it by status. */
export function drawTable(table: Table): SVGSVGElement {
  const { width, height } = footprint(table);
  const top = tabletop(table.shape, table.seats);
  const svg = shape('svg', {
    viewBox: `${-width / 2} ${-height / 2} ${width} ${height}`,
    'aria-hidden': 'true',
  });
  for (const [x, y, angle] of chairs(table.shape, table.seats, top)) {
    svg.append(
      shape('rect', {
        class: 'chair',
        x: -CHAIR.width / 2,
        y: -CHAIR.depth / 2,
        width: CHAIR.width,
        height: CHAIR.depth,
        rx: 0.1,
        transform: `translate(${x} ${y}) rotate(${angle})`,
      }),
    );
  }
  svg.append(
    shape('rect', {
      class: 'top',
      x: -top.width / 2,
      y: -top.height / 2,
      width: top.width,
      height: top.height,
      rx: table.shape === 'round' ? top.width / 2 : 0.2,
    }),
  );
  return svg;
}

function tabletop(shape: TableShape, seats: number): Size {
  if (shape === 'long') return { width: 0.9 + seats * 0.36, height: 1.3 };
  const side = shape === 'square' ? 1.45 : 1.3 + seats * 0.08;
  return { width: side, height: side };
}

type Chair = readonly [x: number, y: number, angle: number];

function chairs(shape: TableShape, seats: number, { width, height }: Size): Chair[] {
  const away = CHAIR.gap + CHAIR.depth / 2;
  if (shape === 'long') return alongTheSides(seats, width, height, away);
  return Array.from({ length: seats }, (_, seat) => {
    const angle = (seat / seats) * 360 - 90;
    const radians = (angle * Math.PI) / 180;
    const distance = width / 2 + away;
    return [Math.cos(radians) * distance, Math.sin(radians) * distance, angle + 90];
  });
}

// One at either head, the others in two rows.
function alongTheSides(seats: number, width: number, height: number, away: number): Chair[] {
  const heads: Chair[] = [
    [-width / 2 - away, 0, 90],
    [width / 2 + away, 0, 90],
  ];
  const perSide = (seats - 2) / 2;
  const rows = Array.from({ length: perSide }, (_, seat): Chair[] => {
    const x = ((seat + 0.5) / perSide - 0.5) * width;
    return [
      [x, -height / 2 - away, 0],
      [x, height / 2 + away, 0],
    ];
  });
  return [...heads, ...rows.flat()];
}

function shape<Tag extends 'svg' | 'rect'>(
  tag: Tag,
  attributes: Record<string, string | number>,
): SVGElementTagNameMap[Tag] {
  const created = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, String(value));
  return created;
}
