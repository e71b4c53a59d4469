import { Ask, ask, type Machine, readText } from "./engine.js"
import { Layouts } from "./values.js"

/** The arrays are made anew. */
const REBUILD = 0
/** What is to be done at a place, if it is not to put so many metas. */
const WHOLE = -1
const REMOVE = -2

/**
 * A presence's roster as plain objects, in the roster's order: what `list()` copies. Follows the engine when
 * it is asked, at the cost of what changed; presences that did not change keep their identity.
 */
export class Mirror {
  readonly #machine: Machine
  readonly #handle: number
  /** Where each presence stands: ascending, and never the same for two. */
  #order: number[] = []
  #items: any[] = []
  /** Kept only once somebody has asked for keys. */
  #keys: string[] | null = null
  #detached = false
  #next = 0
  /** Whether the engine's roster may have changed since the last look. */
  stale = true
  version = 0
  readonly layouts = new Layouts()

  constructor(machine: Machine, handle: number) {
    this.#machine = machine
    this.#handle = handle
  }

  /** The presences. Not to be changed, nor kept. */
  items(): any[] {
    this.#refresh()
    return this.#items
  }

  /** The keys of the presences. Not to be changed, nor kept. */
  keys(): string[] {
    this.#refresh()
    if (this.#keys === null) {
      const length = ask(this.#machine, Ask.PresenceKeys, this.#handle)
      this.#keys = JSON.parse(readText(length)) as string[]
    }
    return this.#keys
  }

  /** The presence at this place; an infinite `order`: none. */
  at(order: number): any {
    this.#refresh()
    // Those who ask for many mostly do so in order.
    const place = this.#order[this.#next] === order ? this.#next : this.#place(order)
    this.#next = place + 1
    return this.#order[place] === order ? this.#items[place] : undefined
  }

  /** Whether a state is seen to say just what the list does. Never, where the list is not up to date. */
  says(state: any): boolean {
    if (this.stale) {
      return false
    }
    try {
      const keys = this.keys()
      for (let place = 0; place < keys.length; place++) {
        if (!isSame(state[keys[place]], this.#items[place])) {
          return false
        }
      }
      // Last, for it takes longest: most states that bring news are known by now.
      return isPlain(state) && Object.keys(state).length === keys.length
    } catch {
      // Somebody is missing, or it is nothing that JSON can say.
      return false
    }
  }

  /** Takes a last look; the engine is about to forget the roster. */
  detach(): void {
    this.keys()
    this.#detached = true
  }

  #refresh(): void {
    if (!this.stale || this.#detached) {
      return
    }
    this.stale = false
    const count = this.#machine.presence_mirror(this.#handle, this.#keys !== null)
    if (count === 0) {
      return
    }
    this.version++
    const { values: fresh, numbers, at, end } = this.layouts.read(count)
    let next = 0
    if (numbers[at] === REBUILD) {
      const order: number[] = []
      const items: any[] = []
      for (let word = at + 1; word < end; word += 2) {
        const what = numbers[word + 1]
        order.push(numbers[word])
        items.push(presenceOf(what, fresh, next))
        next += valuesOf(what)
      }
      this.#order = order
      this.#items = items
      this.#keys = null
      return
    }
    for (let word = at + 1; word < end; word += 2) {
      const order = numbers[word]
      const what = numbers[word + 1]
      const place = this.#place(order)
      const known = this.#order[place] === order
      if (what !== REMOVE) {
        const key = this.#keys === null ? undefined : fresh[next++]
        const item = presenceOf(what, fresh, next)
        next += valuesOf(what)
        if (known) {
          this.#items[place] = item
        } else {
          this.#order.splice(place, 0, order)
          this.#items.splice(place, 0, item)
          this.#keys?.splice(place, 0, key)
        }
      } else if (known) {
        this.#order.splice(place, 1)
        this.#items.splice(place, 1)
        this.#keys?.splice(place, 1)
      }
    }
  }

  /** The first place whose order is not below `order`. */
  #place(order: number): number {
    let low = 0
    let high = this.#order.length
    // Most who come, and many who leave, stand at the end.
    if (high === 0 || this.#order[high - 1] < order) {
      return high
    }
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#order[middle] < order) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }
}

/**
 * Whether a state's presence brings nothing new: metas are known by their refs, as to the engine, and what is beside
 * them by its JSON.
 */
const isSame = (presence: any, known: any): boolean => {
  if (!isPlain(presence)) {
    return false
  }
  const names = Object.keys(known)
  let place = 0
  for (const name in presence) {
    const value = presence[name]
    if (
      name !== names[place++] ||
      !(name === "metas"
        ? haveSameRefs(value, known.metas)
        : JSON.stringify(value) === JSON.stringify(known[name]))
    ) {
      return false
    }
  }
  return place === names.length
}

const isPlain = (value: any): boolean => Object.getPrototypeOf(value) === Object.prototype

const haveSameRefs = (metas: any, known: any[]): boolean =>
  Array.isArray(metas) &&
  metas.length === known.length &&
  known.every(({ phx_ref }, at) => metas[at].phx_ref === phx_ref)

/** What the engine says to put: a presence as it is, or around so many metas. */
const presenceOf = (what: number, values: any[], at: number): any => {
  if (what === WHOLE) {
    return values[at]
  }
  // Almost always one; an array that grows to it has room for 16.
  return { metas: what === 1 ? [values[at]] : values.slice(at, at + what) }
}

const valuesOf = (what: number): number => (what === WHOLE ? 1 : what)
