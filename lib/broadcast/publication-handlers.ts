import type { Publication } from '../backplane/publication.js';

type Kind = Publication['kind'];

/** The publications of one kind. */
export type PublicationOf<K extends Kind, P = Publication> = P extends { readonly kind: infer Kinds }
  ? K extends Kinds
    ? P
    : never
  : never;

/** Carries out a publication that another node published to a channel. A rejection is logged. */
export type PublicationHandler<P = Publication> = (publication: P, channel: string) => void | Promise<void>;

/** One handler for each kind of publication that this version knows. */
export type KnownHandlers = { readonly [K in Kind]: PublicationHandler<PublicationOf<K>> };

/** What this node does with a publication of another node, by its kind. */
export class PublicationHandlers {
  readonly #handlers = new Map<string, PublicationHandler>();

  constructor(
    known: KnownHandlers,
    /** Is called with the error of a handler and the publication. */
    private readonly failed: (error: unknown, publication: Publication) => void,
  ) {
    for (const [kind, handler] of Object.entries(known))
      this.#handlers.set(kind, handler as PublicationHandler);
  }

  /** Adds a kind; throws when it has a handler already. */
  add<P extends { readonly kind: string }>(kind: P['kind'], handler: PublicationHandler<P>): void {
    if (this.#handlers.has(kind)) {
      throw new Error(`Expected one handler for publications of the kind "${kind}", got a second one.`);
    }
    this.#handlers.set(kind, handler as unknown as PublicationHandler);
  }

  /** Never throws: a throw in an event of the backplane's client ends the process. Ignores unknown kinds. */
  receive(channel: string, publication: Publication): void {
    try {
      const carriedOut = this.#handlers.get(publication.kind)?.(publication, channel);
      carriedOut?.catch((error: unknown) => this.failed(error, publication));
    } catch (error) {
      this.failed(error, publication);
    }
  }
}
