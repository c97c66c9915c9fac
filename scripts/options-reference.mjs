// Writes docs/options.md from the docstrings of the options. With --check it only says whether the file is up to date,
// with --json it prints what it read.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { documentedInterface, documentedType } from './documented-interfaces.mjs';

const SERVER = 'lib/index.ts';
const CLIENT = 'lib/client/index.ts';
const TESTING = 'lib/testing/index.ts';
const target = fileURLToPath(new URL('../docs/options.md', import.meta.url));

const HEADER = `# Options

Generated from the docstrings in the source by \`npm run docs\`; do not edit it by hand. Times are in milliseconds, sizes in bytes.
`;

const CHAPTERS = [
  {
    title: '`RealtimeModule.forRoot(options)`',
    about:
      'An unknown option, a value of another type or a value out of range is an error at boot that names the option and the fix. ' +
      '`false` turns an option off where its type allows it.',
    of: [{ entry: SERVER, name: 'RealtimeOptions', isTitled: false, withGroups: true }],
  },
  { title: '`RealtimeModule.forEmitter(options)`', of: [{ entry: SERVER, name: 'EmitterOptions' }] },
  {
    title: 'Gateways and handlers',
    of: [
      { entry: SERVER, name: 'RealtimeGatewayOptions', as: '`@RealtimeGateway(options)`' },
      { entry: SERVER, name: 'OnMessageOptions', as: '`@OnMessage(contract, type, options)`' },
    ],
  },
  {
    title: '`defineContract({ client, server }, options)`',
    of: [
      { entry: SERVER, name: 'ClientEntry', as: 'An entry of `client`' },
      { entry: SERVER, name: 'ServerEntry', as: 'An entry of `server`' },
      { entry: SERVER, name: 'ContractOptions', as: '`options`' },
    ],
  },
  { title: 'What `authenticate` returns', of: [{ entry: SERVER, name: 'Identity' }] },
  { title: '`TicketService.issue(identity, options)`', of: [{ entry: SERVER, name: 'TicketOptions' }] },
  {
    title: '`Broadcaster`',
    of: [
      { entry: SERVER, name: 'SendOptions', as: '`sendTo…()` and `broadcast()`' },
      { entry: SERVER, name: 'RequestOptions', as: '`requestFrom…()`' },
      { entry: SERVER, name: 'DisconnectOptions', as: '`disconnect…()`' },
    ],
  },
  {
    title: '`nestjs-realtime/client`',
    of: [
      { entry: CLIENT, name: 'RealtimeClientOptions', as: '`new RealtimeClient(address, options)`' },
      { entry: CLIENT, name: 'SendOptions', as: '`send(type, payload, options)`' },
      { entry: CLIENT, name: 'QueueLimits', as: '`whileAway.queue`' },
      { entry: CLIENT, name: 'RequestOptions', as: '`request(type, payload, options)`' },
    ],
  },
  {
    title: '`nestjs-realtime/testing`',
    of: [
      { entry: TESTING, name: 'RealtimeTestAppOptions', as: '`createRealtimeTestApp(module, options)`' },
      {
        entry: TESTING,
        name: 'TestClientOptions',
        as: '`app.connect(path, options)` and `app.open(path, options)`',
      },
    ],
  },
];

const chapters = await Promise.all(CHAPTERS.map(readChapter));
const page = [HEADER, ...chapters.map(chapterText), typesText(await typesIn(chapters))].join('\n');
if (process.argv.includes('--json')) console.log(JSON.stringify(chapters, undefined, 2));
else if (!process.argv.includes('--check')) writeFileSync(target, page);
else if (page !== textOf(target)) {
  console.error('docs/options.md is not what the source says: run `npm run docs`.');
  process.exitCode = 1;
}

async function readChapter({ of: wanted, ...chapter }) {
  const tables = [];
  for (const { entry, name, isTitled = true, as = `\`${name}\``, withGroups = false } of wanted) {
    const found = await documentedInterface(entry, name);
    tables.push({ ...found, title: isTitled && wanted.length > 1 ? as : undefined });
    if (withGroups) tables.push(...(await groupsOf(found)));
  }
  return { ...chapter, tables };
}

/** The settings of options such as `Partial<HandshakeSettings> | false`; their defaults stand with either of the two. */
async function groupsOf({ path, members }) {
  const groups = [];
  for (const { name, type, default: together } of members) {
    const [, settings] = /Partial<(\w+)>/.exec(type) ?? [];
    if (settings === undefined) continue;
    const found = await documentedInterface(path, settings);
    const ofMember = (member) =>
      member.default ?? new RegExp(`\\b${member.name}: ([^,}]+?)[ ,}]`).exec(together ?? '')?.[1];
    groups.push({
      ...found,
      members: found.members.map((member) => ({ ...member, isOptional: true, default: ofMember(member) })),
      title: `Settings of \`${name}\``,
      group: name,
    });
  }
  return groups;
}

/** Every type alias that a table names, and those that these name in turn. */
async function typesIn(chaptersRead) {
  const types = new Map();
  const look = async (path, text) => {
    for (const [name] of text.replaceAll(/'[^']*'/g, '').matchAll(/\b[A-Z]\w+\b/g)) {
      if (types.has(name)) continue;
      const found = await documentedType(path, name);
      if (found === undefined || found.description === '') continue;
      types.set(name, found);
      await look(found.path, found.type);
    }
  };
  for (const { path, members } of chaptersRead.flatMap(({ tables }) => tables)) {
    for (const { type } of members) await look(path, type);
  }
  return [...types.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function typesText(types) {
  const rows = types.map(
    ({ name, type, description }) => `| \`${name}\` | \`${cell(type)}\` | ${cell(description)} |`,
  );
  return ['## Types', '', '| name | type | |', '|---|---|---|', ...rows, ''].join('\n');
}

function chapterText({ title, about, tables }) {
  const paragraphs = [`## ${title}`, ...(about === undefined ? [] : [about])];
  for (const table of tables) {
    if (table.title !== undefined) paragraphs.push(`### ${table.title}`);
    for (const [section, members] of sections(table.members)) {
      if (section !== undefined) paragraphs.push(`### ${capitalised(section)}`);
      paragraphs.push(tableText(members));
    }
  }
  return `${paragraphs.join('\n\n')}\n`;
}

function sections(members) {
  const bySection = new Map();
  for (const member of members) {
    if (!bySection.has(member.section)) bySection.set(member.section, []);
    bySection.get(member.section).push(member);
  }
  return bySection;
}

function tableText(members) {
  const rows = members
    .filter(({ type }) => type !== 'never')
    .map(
      ({ name, type, isOptional, default: byDefault, description }) =>
        `| \`${name}\` | \`${cell(type)}\` | ${defaultText(byDefault, isOptional)} | ${cell(description)} |`,
    );
  return ['| name | type | default | |', '|---|---|---|---|', ...rows].join('\n');
}

/** A value in code style, a sentence as it is; what has no default and may not be left out is required. */
function defaultText(byDefault, isOptional) {
  if (byDefault === undefined) return isOptional ? '' : 'required';
  const isValue = /^(\[.*\]|\{.*\}|'[^']*'|-?[\d_]+|true|false|\w+\.\w+)$/.test(byDefault);
  return isValue ? `\`${cell(byDefault)}\`` : cell(byDefault);
}

// A table's cell ends at a pipe, in code as well.
function cell(text) {
  return text.replaceAll('|', '\\|');
}

function capitalised(text) {
  return text[0].toUpperCase() + text.slice(1);
}

function textOf(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
