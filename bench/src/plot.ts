/** A line of a plot. */
export interface Series {
  readonly name: string;
  readonly points: [x: number, y: number][];
}

const WIDTH = 460;
const HEIGHT = 280;
const LEFT = 64;
const RIGHT = 16;
const TOP = 44;
const BOTTOM = 44;
const COLOURS = ['#0b6e4f', '#3a5a9b', '#b3541e', '#6b6b6b'];

/** Draws lines over a logarithmic x axis; the y axis starts at 0. */
export function plot(title: string, axis: string, series: readonly Series[]): string {
  const points = series.flatMap((line) => line.points);
  const xs = [...new Set(points.map(([x]) => x))].sort((a, b) => a - b);
  const [first = 1, last = 1] = [xs[0], xs.at(-1)];
  const top = ceiling(Math.max(...points.map(([, y]) => y), 1));
  const span = Math.log(last / first) || 1;
  const xOf = (x: number) => LEFT + (Math.log(x / first) / span) * (WIDTH - LEFT - RIGHT);
  const yOf = (y: number) => HEIGHT - BOTTOM - (y / top) * (HEIGHT - TOP - BOTTOM);
  const parts = [text(LEFT, 18, title, 'start', 13)];
  for (const share of [0, 0.5, 1]) {
    const y = yOf(top * share);
    parts.push(`<path d="M${LEFT} ${round(y)}H${WIDTH - RIGHT}" stroke="#ddd"/>`);
    parts.push(text(LEFT - 6, y + 4, (top * share).toLocaleString('en'), 'end'));
  }
  for (const x of xs) parts.push(text(xOf(x), HEIGHT - BOTTOM + 16, x.toLocaleString('en'), 'middle'));
  parts.push(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, axis, 'middle'));
  for (const [i, line] of series.entries()) {
    const colour = COLOURS[i % COLOURS.length];
    const path = line.points.map(([x, y]) => `${round(xOf(x))},${round(yOf(y))}`).join(' ');
    parts.push(`<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    for (const [x, y] of line.points) {
      parts.push(`<circle cx="${round(xOf(x))}" cy="${round(yOf(y))}" r="3" fill="${colour}"/>`);
    }
    parts.push(`<g fill="${colour}">${text(LEFT + i * 120, 36, line.name, 'start')}</g>`);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="#fff"/>\n${parts.join('\n')}\n</svg>\n`;
}

function text(x: number, y: number, words: string, anchor: string, size = 11): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" font-size="${size}">${words}</text>`;
}

/** The next 1, 2 or 5 times a power of ten. */
function ceiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value) ?? value;
}

function round(value: number): string {
  return value.toFixed(1);
}
