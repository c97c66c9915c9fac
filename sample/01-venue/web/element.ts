type Properties<Tag extends keyof HTMLElementTagNameMap> = Partial<
  Omit<HTMLElementTagNameMap[Tag], 'style' | 'dataset'>
>;

/** Creates an element. Strings become text nodes, never markup, so a guest's name cannot inject HTML. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Properties<Tag> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const created = Object.assign(document.createElement(tag), properties);
  created.append(...children);
  return created;
}

/** Finds an element of index.html. */
export function find<Type extends HTMLElement>(id: string, type: new () => Type): Type {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`Expected a ${type.name} with the id "${id}" in index.html.`);
  return found;
}

export interface View<Item> {
  readonly root: HTMLElement;
  show(item: Item): void;
}

/** Shows a list of items; the element of an item that stays is reused, so it keeps the keyboard focus. */
export class ViewList<Item extends { readonly id: string }> {
  #views = new Map<string, View<Item>>();

  constructor(
    private readonly parent: HTMLElement,
    private readonly create: (item: Item) => View<Item>,
  ) {}

  show(items: readonly Item[]): void {
    const known = this.#views;
    this.#views = new Map(items.map((item) => [item.id, known.get(item.id) ?? this.create(item)]));
    for (const [id, view] of known) if (!this.#views.has(id)) view.root.remove();

    items.forEach((item, index) => {
      const { root, show } = this.#views.get(item.id)!;
      show(item);
      const there = this.parent.children[index] ?? null;
      if (there !== root) this.parent.insertBefore(root, there);
    });
  }
}
