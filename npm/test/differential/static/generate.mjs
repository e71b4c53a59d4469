// Random uses of Presence's static functions, on states of the program's own.

import { presence, presences } from "../presence/payload.mjs"
import { Random } from "../random.mjs"

export const generate = (seed) => {
  const random = new Random(seed)
  const some = () => presences(random, random.pick([2, 5, 20]))
  const call = () => ({
    from: random.chance(0.15) ? random.pick(["empty", "copy", "before"]) : undefined,
    quiet: random.chance(0.2) ? true : undefined,
  })
  const event = () =>
    random.weighted([
      [4, () => ({ do: "syncState", list: some(), ...call() })],
      [6, () => ({ do: "syncDiff", joins: some(), leaves: some(), ...call() })],
      // What is there goes, or comes once more.
      [
        3,
        () => ({
          do: "again",
          leave: random.chance(0.7),
          every: 1 + random.below(3),
          more: [presence(random)],
        }),
      ],
      [2, () => ({ do: "list" })],
    ])()
  return { events: random.times(1 + random.below(12), event) }
}
