/** The values of a path's `:params` by name. */
export type PathParams = Readonly<Record<string, string>>;

/**
 * The params that a path declares: `ParamsOf<'/venues/:venueId'>` is `{ readonly venueId: string }`. Those in braces are
 * optional; a `*wildcard` is one text, with its slashes.
 */
export type ParamsOf<Path extends string> = string extends Path
  ? PathParams
  : Flat<
      { readonly [Name in NamesIn<Path, 'required'>]: string } & {
        readonly [Name in NamesIn<Path, 'optional'>]?: string;
      }
    >;

type Flat<T> = { [Key in keyof T]: T[Key] };

/** The names of a path's params inside braces (`Depth` has one entry per open brace), or outside. */
type NamesIn<
  Path extends string,
  Wanted extends 'required' | 'optional',
  Depth extends unknown[] = [],
  Found = never,
> = Path extends `\\${string}${infer Rest}`
  ? NamesIn<Rest, Wanted, Depth, Found>
  : Path extends `{${infer Rest}`
    ? NamesIn<Rest, Wanted, [unknown, ...Depth], Found>
    : Path extends `}${infer Rest}`
      ? NamesIn<Rest, Wanted, Depth extends [unknown, ...infer Outer] ? Outer : [], Found>
      : Path extends `${':' | '*'}"${infer Name}"${infer Rest}`
        ? NamesIn<Rest, Wanted, Depth, Found | NameAt<Name, Wanted, Depth>>
        : Path extends `${':' | '*'}${infer Rest}`
          ? NamesIn<AfterName<Rest>, Wanted, Depth, Found | NameAt<NameOf<Rest>, Wanted, Depth>>
          : Path extends `${string}${infer Rest}`
            ? NamesIn<Rest, Wanted, Depth, Found>
            : Found;

type NameAt<Name, Wanted, Depth extends unknown[]> = Wanted extends 'required'
  ? Depth extends []
    ? Name
    : never
  : Depth extends []
    ? never
    : Name;

/** The name that a text begins with: letters, digits, `_` and `$`. */
type NameOf<Text extends string, Name extends string = ''> = Text extends `${infer First}${infer Rest}`
  ? First extends NameCharacter
    ? NameOf<Rest, `${Name}${First}`>
    : Name
  : Name;

type AfterName<Text extends string> = Text extends `${infer First}${infer Rest}`
  ? First extends NameCharacter
    ? AfterName<Rest>
    : Text
  : '';

type Letter =
  | 'a'
  | 'b'
  | 'c'
  | 'd'
  | 'e'
  | 'f'
  | 'g'
  | 'h'
  | 'i'
  | 'j'
  | 'k'
  | 'l'
  | 'm'
  | 'n'
  | 'o'
  | 'p'
  | 'q'
  | 'r'
  | 's'
  | 't'
  | 'u'
  | 'v'
  | 'w'
  | 'x'
  | 'y'
  | 'z';
type NameCharacter = Letter | Uppercase<Letter> | `${0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9}` | '_' | '$';
