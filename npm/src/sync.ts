// The static half of Presence: the same roster, on plain objects of the caller's.

import { checked, Machine, ready, writeText } from "./engine.js"
import { second } from "./guard.js"
import { readChanged, readSteps, type Step, turnTo } from "./told.js"
import { Layouts } from "./values.js"

type State = Record<string, any>
type OnChange = ((key: string, current: any, presence: any) => unknown) | null | undefined

interface Result {
  steps: Step[]
  changed: ReturnType<typeof readChanged>
}

const sync = (diff: boolean, current: State, next: any): Result => {
  ready()
  const state = JSON.stringify(current)
  const first = writeText(state)
  const count = checked(Machine.sync_plain(diff, first, writeText(state + JSON.stringify(next))))
  turnTo(new Layouts().read(count))
  return { steps: readSteps(), changed: readChanged() }
}

const apply = (state: State, { steps, changed }: Result, onJoin: OnChange, onLeave: OnChange): State => {
  for (const [key, presence] of changed) {
    if (presence === null) {
      delete state[key]
    } else {
      state[key] = presence
    }
  }
  for (const { kind, key, current, other } of steps) {
    const callback = kind === 0 ? onJoin : onLeave
    callback?.(key, current ?? undefined, other)
  }
  return state
}

/** Keys come from the server and may be `__proto__`: such an object must not have a prototype. */
const withoutPrototype = (state: State): State =>
  Object.getPrototypeOf(state) === null ? state : Object.assign(Object.create(null), state)

/** The state after the server's `newState`; `currentState` is left as it is. */
export const syncState = (
  currentState: State,
  newState: State,
  onJoin?: OnChange,
  onLeave?: OnChange,
): State => {
  const state: State = Object.create(null)
  for (const [key, presence] of Object.entries(JSON.parse(JSON.stringify(currentState)))) {
    state[key] = presence
  }
  return apply(state, sync(false, currentState, newState), onJoin, onLeave)
}

/** The state after a diff. A state without a prototype, as these functions return, is changed in place. */
export const syncDiff = (
  state: State,
  diff: { joins: State; leaves: State },
  onJoin?: OnChange,
  onLeave?: OnChange,
): State => apply(withoutPrototype(state), sync(true, state, diff), onJoin, onLeave)

/** What `chooser(key, presence)` makes of each presence, in order. */
export const list = <T = any>(presences: object, chooser?: ((key: string, presence: any) => T) | null): T[] =>
  Object.getOwnPropertyNames(presences).map((key) => (chooser || second)(key, (presences as State)[key]))
