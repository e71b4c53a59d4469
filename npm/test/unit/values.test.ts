// Metas that are built like others are put together without being parsed: nobody can tell.

import { describe, expect, it } from "vitest"
import { useFakeTimers } from "./both.js"
import { person, room } from "./room.js"

useFakeTimers()

/** Properties of one meta after the other: names that stay, values that differ. */
const KINDS: Record<string, object[]> = {
  strings: [
    { name: "Ann", at: "1764000000" },
    { name: "", at: "a longer one than thirteen" },
  ],
  numbers: [{ at: 1 }, { at: -2.5 }, { at: 0 }, { at: 2 ** 40 }, { at: 1e21 }, { at: -1e-7 }],
  literals: [
    { a: true, b: null },
    { a: false, b: true },
    { a: null, b: 7 },
  ],
  "other kinds each time": [{ a: "1" }, { a: 1 }, { a: "true" }, { a: true }, { a: null }, { a: "null" }],
  "not only ASCII": [{ name: "Åsa" }, { name: "世😀" }, { name: "Ann" }],
  escapes: [{ name: 'a"b\\c' }, { name: "a\nb" }, { name: "Ann" }],
  nested: [
    { at: [1, 2], in: { a: 1 } },
    { at: [], in: {} },
  ],
  "names that are numbers": [
    { b: 1, 1: 2 },
    { b: 3, 1: 4 },
  ],
  "the name of the prototype": [JSON.parse('{"__proto__":1}'), JSON.parse('{"__proto__":2}')],
}

/** What every callback and list of a room say of people who come, change and go. */
const play = (metas: object[]) => {
  const { presence, state, diff } = room()
  const seen: unknown[] = []
  const told = (...what: unknown[]) => seen.push(...what)
  presence.onJoin((key, current, joined) => told("join", key, current ?? null, joined))
  presence.onLeave((key, current, left) => told("leave", key, current, left))
  presence.subscribe((changes) => told(...changes))
  presence.onSync(() => told(presence.list((key, person) => [key, person])))
  state({})
  for (let round = 0; round < 4 * metas.length; round++) {
    const key = `person ${round % 3}`
    const before = { phx_ref: `r${round}`, ...metas[round % metas.length] }
    const after = { phx_ref: `s${round}`, ...metas[(round + 1) % metas.length], phx_ref_prev: `r${round}` }
    const [was, is] = [{ metas: [before] }, { metas: [after] }]
    const change = (kind: string, other: object) => ({ kind, key, cause: "diff", ...other })
    const none = { before: null, after: null, joined: [], left: [] }
    seen.splice(0)
    diff({ [key]: was })
    diff({ [key]: is }, { [key]: was })
    diff({}, { [key]: is })
    const expected: unknown[] = ["join", key, null, was, [[key, was]]]
    expected.push(change("joined", { ...none, after: was, joined: [before] }))
    expected.push("join", key, was, is, "leave", key, is, was, [[key, is]])
    expected.push(change("updated", { before: was, after: is, joined: [after], left: [before] }))
    expected.push("leave", key, { metas: [] }, is, [])
    expected.push(change("left", { ...none, before: is, left: [after] }))
    expect(seen).toEqual(expected)
    expect(seen.map(namesOf)).toEqual(expected.map(namesOf))
  }
}

/** The names in it, in order; of a change, which this package makes, those of its metas. */
const namesOf = (value: any): unknown => {
  if (typeof value !== "object" || value === null) {
    return []
  }
  const names = "cause" in value ? Object.keys(value).sort() : Object.keys(value)
  return names.map((name) => [name, namesOf(value[name])])
}

describe("metas that are built like others", () => {
  it.each(Object.entries(KINDS))("have what they came with: %s", (_name, metas) => play(metas))

  it("are objects of their own", () => {
    const { presence, state, diff } = room()
    const joined: any[] = []
    presence.onJoin((_key, _current, person) => joined.push(person))
    state({})
    for (let round = 0; round < 4; round++) {
      diff({ [`person ${round}`]: person(`r${round}`, { name: "Ann" }) })
      joined[round].metas[0].name = "Bob"
      joined[round].metas[0].more = 1
      presence.list()[round].metas[0].name = `${round}`
    }
    diff({ cy: person("c", { name: "Cy" }) })
    expect(joined[4]).toEqual(person("c", { name: "Cy" }))
    expect(presence.list().map(({ metas }) => metas[0].name)).toEqual(["0", "1", "2", "3", "Cy"])
  })
})
