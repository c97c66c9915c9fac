import { UnreadableInput } from './unreadable-input.js';

type Access = 'writable' | 'read-only' | 'only own fields';

/** Whether properties that a prototype of the class defines can be assigned. */
export class PropertyAccess {
  private readonly prototype: object;
  private readonly known = new Map<string, Access>();

  constructor(target: new () => object) {
    this.prototype = target.prototype as object;
  }

  /** True if a prototype has a member of this name. */
  isInherited(name: string): boolean {
    return name in this.prototype;
  }

  /** False for methods and the class's own getters, which are skipped; throws if only a base class has a getter. */
  isWritable(name: string, instance: object): boolean {
    let access = this.known.get(name);
    if (access === undefined) this.known.set(name, (access = this.find(name)));
    if (access === 'read-only') return false;
    const own = Object.getOwnPropertyDescriptor(instance, name);
    if (own) return typeof own.value !== 'function';
    if (access === 'only own fields') throw new UnreadableInput('cannot be set');
    return true;
  }

  private find(name: string): Access {
    for (
      let level: object | null = this.prototype;
      level;
      level = Object.getPrototypeOf(level) as object | null
    ) {
      const member = Object.getOwnPropertyDescriptor(level, name);
      if (!member) continue;
      if (member.set) return 'writable';
      if (level === this.prototype || typeof member.value === 'function') return 'read-only';
      return member.get || !member.writable ? 'only own fields' : 'writable';
    }
    return 'writable';
  }
}
