// What a frame did, as the engine tells it (`told.rs`): values that are parsed once each, and numbers that say how
// they go together. So the same meta is one object wherever it comes in the arguments of a frame's callbacks.

import type { Mirror } from "./mirror.js"
import type { PresenceChange } from "./types.js"
import type { Written } from "./values.js"

/** That somebody joined, or left (1). */
export interface Step {
  kind: 0 | 1
  key: string
  current: any
  other: any
}

const NOBODY = -1
const METAS = -2
const LISTED = -3
const LISTED_DEEP = -4

const KINDS = ["joined", "updated", "left"] as const

let values: any[] = []
let numbers: Float64Array = new Float64Array(0)
let at = 0

/** Turns to what the engine wrote last. */
export const turnTo = (written: Written): void => {
  ;({ values, numbers, at } = written)
}

/** The steps. Who is named as on the list is copied from there. */
export const readSteps = (mirror?: Mirror): Step[] => {
  const steps: Step[] = []
  for (let count = numbers[at++]; count > 0; count--) {
    steps.push({
      kind: numbers[at++] as 0 | 1,
      key: readKey(),
      current: readPresence(),
      other: readPresence(mirror),
    })
  }
  return steps
}

/** The changes, whose cause this is. */
export const readChanges = (cause: "state" | "diff"): PresenceChange<any, any>[] => {
  const changes: PresenceChange<any, any>[] = []
  for (let count = numbers[at++]; count > 0; count--) {
    changes.push({
      kind: KINDS[numbers[at++]],
      key: readKey(),
      before: readPresence(),
      after: readPresence(),
      joined: readMetas(),
      left: readMetas(),
      cause,
    })
  }
  return changes
}

/** The presences that changed, null where one is gone. */
export const readChanged = (): [key: string, presence: any][] => {
  const changed: [string, any][] = []
  for (let count = numbers[at++]; count > 0; count--) {
    changed.push([readKey(), readPresence()])
  }
  return changed
}

const readKey = (): string => values[numbers[at++]]

const readPresence = (mirror?: Mirror): any => {
  const place = numbers[at++]
  switch (place) {
    case NOBODY:
      return null
    case METAS:
      return { metas: readMetas() }
    case LISTED:
      return flatCopyOf(mirror!.at(numbers[at++]))
    case LISTED_DEEP:
      return copyOf(mirror!.at(numbers[at++]))
    default: {
      const presence = values[place]
      presence.metas = readMetas()
      return presence
    }
  }
}

const readMetas = (): any[] => {
  const count = numbers[at++]
  // Almost always one; an array that grows to it has room for 16.
  if (count === 1) {
    return [values[numbers[at++]]]
  }
  const metas: any[] = []
  for (let meta = 0; meta < count; meta++) {
    metas.push(values[numbers[at++]])
  }
  return metas
}

/** A full copy of a presence whose values are scalars. */
const flatCopyOf = (presence: any): any => {
  const { metas } = presence
  return {
    ...presence,
    metas: metas.length === 1 ? [{ ...metas[0] }] : metas.map((meta: any) => ({ ...meta })),
  }
}

/** A full copy of what JSON can say. */
const copyOf = (value: any): any => {
  const copy = Array.isArray(value) ? value.slice() : { ...value }
  for (const key of Object.keys(copy)) {
    const inner = copy[key]
    if (typeof inner === "object" && inner !== null) {
      copy[key] = copyOf(inner)
    }
  }
  return copy
}
