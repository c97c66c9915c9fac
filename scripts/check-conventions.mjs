// Checks what oxlint cannot: names of folders and files, very short files, and dynamic imports.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';

const ROOMS = ['lib', 'sample', 'test', 'bench', 'scripts'];
const SKIPPED = /(^|\/)(node_modules|dist|results)(\/|$)/;
/** Names of folders and files that name a kind of code instead of a concept. */
const KIND_OF_CODE = /^(utils?|helpers?|interfaces?|common|types?|enums?)$/;
const VAGUE = /manager|helper|util/i;
const NAMED_BY_DESIGN = new Set(['test/types']);
const SHORTEST = 12;
const ENTRY_POINT = /^lib\/(\w+\/)?index\.ts$/;
/** Packages that only some files of lib/ may import. */
const HOMES = [
  {
    name: 'ioredis',
    home: /redis[^/]*$|^lib\/backplane\/redis\//,
    where: 'backplane/redis/ and files named *redis*',
  },
  { name: 'ws', home: /^lib\/(gateway|testing)\//, where: 'gateway/ and testing/' },
];

const root = process.cwd();
const findings = [];
for (const path of ROOMS.flatMap(pathsIn)) {
  checkName(path.replace(/\/$/, ''));
  if (/^lib\/.*\.ts$/.test(path)) checkSource(path, readFileSync(join(root, path), 'utf8'));
}
checkLockfile();

for (const finding of findings) console.error(finding);
if (findings.length > 0) process.exitCode = 1;

/** The paths below a folder of the repository; folders end in a slash. */
function pathsIn(room) {
  let entries;
  try {
    entries = readdirSync(join(root, room), { recursive: true, withFileTypes: true });
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
  return entries
    .map((entry) => join(relative(root, entry.parentPath), entry.name) + (entry.isDirectory() ? '/' : ''))
    .map((path) => path.split(sep).join('/'))
    .filter((path) => !SKIPPED.test(path));
}

function checkName(path) {
  const name = basename(path).replace(/\..*$/, '');
  if (NAMED_BY_DESIGN.has(path) || !(KIND_OF_CODE.test(name) || VAGUE.test(name))) return;
  findings.push(`${path}: "${basename(path)}" names a kind of code; name what it is about.`);
}

function checkSource(path, source) {
  const lines = source.trimEnd().split('\n').length;
  if (lines < SHORTEST && !ENTRY_POINT.test(path) && !path.endsWith('.d.ts')) {
    findings.push(`${path}: ${lines} lines are too few for a file; move them to the code that uses them.`);
  }
  for (const { name, home, where } of HOMES) {
    if (!home.test(path) && new RegExp(`['"]${name}(/[^'"]*)?['"]`).test(importsOf(source))) {
      findings.push(`${path}: only ${where} may import ${name}.`);
    }
  }
  if (/\bimport\(\s*['"]\./.test(source)) {
    findings.push(`${path}: import() of a relative path evades the import rules; use a static import.`);
  }
}

function importsOf(source) {
  return (source.match(/\bfrom\s+['"][^'"]+['"]|\bimport\s*\(?\s*['"][^'"]+['"]/g) ?? []).join('\n');
}

function checkLockfile() {
  const lockfile = readFileSync(join(root, 'package-lock.json'), 'utf8');
  if (lockfile.includes('"resolved"')) {
    findings.push(
      'package-lock.json: holds registry addresses; run npm config set omit-lockfile-registry-resolved true.',
    );
  }
}
