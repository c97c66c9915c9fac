/**
 * The connections of a key (a user, a session, a room). A single member is stored without a set, since most keys have
 * one; a key without members is removed.
 */
export class ConnectionIndex<Member extends object> {
  readonly #members = new Map<string, Member | Set<Member>>();

  /** The number of keys that have a member. */
  get size(): number {
    return this.#members.size;
  }

  /** Adds the member; true when the key had none before. */
  add(key: string, member: Member): boolean {
    const present = this.#members.get(key);
    if (present === undefined) {
      this.#members.set(key, member);
      return true;
    }
    if (present instanceof Set) present.add(member);
    else if (present !== member) this.#members.set(key, new Set([present, member]));
    return false;
  }

  /** Removes the member; true when it was the key's last one. */
  delete(key: string, member: Member): boolean {
    const present = this.#members.get(key);
    if (present instanceof Set) {
      present.delete(member);
      if (present.size > 0) return false;
    } else if (present !== member) {
      return false;
    }
    return this.#members.delete(key);
  }

  /** The members of a key; a live view, so copy it before an `await`. */
  of(key: string): ReadonlySet<Member> | readonly Member[] {
    const present = this.#members.get(key);
    if (present === undefined) return [];
    return present instanceof Set ? present : [present];
  }
}
