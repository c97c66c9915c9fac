// Reads exported interfaces with their docstrings from the source, as the reference of options shows them.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
// A development dependency already; its syntax trees are those of typescript-estree.
import { parsers } from 'prettier/plugins/typescript';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = new Map();

/** The interface that an entry point exports under this name, with the members it inherits. */
export async function documentedInterface(entry, name) {
  const path = await declaringFile(entry, name);
  return readInterface(path, name);
}

/** A type alias that this file declares or imports from this library; `undefined` for any other name. */
export async function documentedType(path, name) {
  let declaredIn;
  try {
    declaredIn = await declaringFile(path, name);
  } catch {
    return undefined;
  }
  const { ast, text } = await source(declaredIn);
  const declaration = declarationIn(ast, name);
  if (declaration.type !== 'TSTypeAliasDeclaration') return undefined;
  const type = textOf(text, declaration.typeAnnotation.range);
  const { description } = docstringBefore(ast, text, statementOf(ast, declaration).range[0]);
  return { name, path: declaredIn, type, description };
}

async function declaringFile(path, name) {
  const { ast } = await source(path);
  if (declarationIn(ast, name)) return path;
  for (const node of ast.body) {
    if (node.source?.value?.startsWith('.') !== true) continue;
    const specifier = node.specifiers?.find(({ exported, local }) => (exported ?? local).name === name);
    if (specifier) {
      const next = join(dirname(path), node.source.value.replace(/\.js$/, '.ts'));
      return declaringFile(next, (specifier.imported ?? specifier.local).name);
    }
  }
  throw new Error(`Expected ${path} to declare, import or export the interface ${name}.`);
}

async function readInterface(path, name) {
  const { ast, text } = await source(path);
  const declaration = declarationIn(ast, name);
  if (declaration?.type !== 'TSInterfaceDeclaration') {
    throw new Error(`Expected ${name} in ${path} to be an interface.`);
  }
  const members = [];
  for (const base of declaration.extends ?? []) members.push(...(await inherited(path, base)));
  for (const member of declaration.body.body) {
    if (member.type !== 'TSPropertySignature' && member.type !== 'TSMethodSignature') continue;
    const documentation = docstringBefore(ast, text, member.range[0]);
    members.push({
      name: member.key.name ?? member.key.value,
      isOptional: member.optional === true,
      type: typeText(text, member),
      ...documentation,
      section: sectionBefore(ast, declaration.range[0], member.range[0]),
    });
  }
  const { description } = docstringBefore(ast, text, statementOf(ast, declaration).range[0]);
  return { name, path, description, members };
}

/** Of `extends Base` or `extends Pick<Base, 'a' | 'b'>`. */
async function inherited(path, base) {
  const name = base.expression.name;
  const [type, keys] = (base.typeArguments ?? base.typeParameters)?.params ?? [];
  if (name !== 'Pick') return (await readInterface(await declaringFile(path, name), name)).members;
  const picked = new Set((keys.types ?? [keys]).map(({ literal }) => literal.value));
  const of = type.typeName.name;
  const { members } = await readInterface(await declaringFile(path, of), of);
  return members
    .filter((member) => picked.has(member.name))
    .map((member) => ({ ...member, section: undefined }));
}

async function source(path) {
  const known = sources.get(path);
  if (known) return known;
  const text = readFileSync(join(root, path), 'utf8');
  const read = { text, ast: await parsers.typescript.parse(text, { filepath: path }) };
  sources.set(path, read);
  return read;
}

function declarationIn(ast, name) {
  return ast.body
    .map((node) => node.declaration ?? node)
    .find(({ type, id }) => type.startsWith('TS') && id?.name === name);
}

function statementOf(ast, declaration) {
  return ast.body.find((node) => node === declaration || node.declaration === declaration);
}

/** The doc comment with nothing but white space after it, as one paragraph and its `@default`. */
function docstringBefore(ast, text, start) {
  const comment = ast.comments.findLast(
    ({ type, value, range }) =>
      type === 'Block' &&
      value.startsWith('*') &&
      range[1] <= start &&
      text.slice(range[1], start).trim() === '',
  );
  const words = (comment?.value ?? '')
    .replace(/^\*/, '')
    .replaceAll(/^\s*\* ?/gm, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  const [, description, byDefault] = /^(.*?)(?:@default (.*))?$/.exec(words);
  return { description: description.trim(), default: byDefault?.trim() };
}

/** The last comment `// --- words ---` above a member. */
function sectionBefore(ast, from, start) {
  const comments = ast.comments.filter(
    ({ type, range }) => type === 'Line' && range[0] > from && range[1] < start,
  );
  return comments
    .map(({ value }) => /^ --- (.*) ---$/.exec(value)?.[1])
    .findLast((title) => title !== undefined);
}

function typeText(text, { typeAnnotation, type, params, returnType }) {
  if (type !== 'TSMethodSignature') return textOf(text, typeAnnotation.typeAnnotation.range);
  const given = params.map(({ range }) => textOf(text, range)).join(', ');
  return `(${given}) => ${textOf(text, returnType.typeAnnotation.range)}`;
}

function textOf(text, [from, to]) {
  return text
    .slice(from, to)
    .replaceAll(/\s+/g, ' ')
    .replace(/^\| /, '')
    .replaceAll(/([(<]) |,? (?=[)>])/g, '$1')
    .replaceAll(',)', ')');
}
