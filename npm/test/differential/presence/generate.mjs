// Random histories of presences: what a server, a network and a program may do. Plain data.

import { Random } from "../random.mjs"
import { meta, nonsense, presence, presences } from "./payload.mjs"

const CHANNELS = 2

/** What a server would know of one topic. */
class Server {
  #room = new Map()
  #refs = 0
  #random

  constructor(random) {
    this.#random = random
  }

  #newMeta(previous) {
    const made = meta(this.#random, `"s${++this.#refs}"`)
    if (previous !== undefined) {
      made.fields.push({ name: '"phx_ref_prev"', value: previous.ref })
    }
    return made
  }

  state() {
    const random = this.#random
    const list = [...this.#room].map(([key, metas]) => presence(random, key, [...metas]))
    // A server's order is its own.
    if (random.chance(0.3)) {
      list.sort(() => random.below(3) - 1)
    }
    if (random.chance(0.2) && list.length > 0) {
      list.push({ ...random.pick(list) })
    }
    return { do: "state", list }
  }

  /** Something happens, to some of the room. */
  diff() {
    const random = this.#random
    const joins = []
    const leaves = []
    for (let left = random.pick([1, 1, 1, 2, 4]); left > 0; left--) {
      const known = [...this.#room.keys()]
      const key = known.length > 0 && random.chance(0.6) ? random.pick(known) : presence(random).key
      const metas = this.#room.get(key) ?? []
      const what = metas.length === 0 ? "join" : random.pick(["join", "leave", "leave", "update", "all"])
      if (what === "join") {
        const joined = this.#newMeta()
        this.#room.set(key, [...metas, joined])
        joins.push(presence(random, key, [joined]))
      } else if (what === "all") {
        this.#room.delete(key)
        leaves.push(presence(random, key, metas))
      } else {
        const gone = random.pick(metas)
        const rest = metas.filter((one) => one !== gone)
        leaves.push(presence(random, key, [gone]))
        if (what === "update") {
          const updated = this.#newMeta(gone)
          rest.push(updated)
          joins.push(presence(random, key, [updated]))
        }
        if (rest.length === 0) {
          this.#room.delete(key)
        } else {
          this.#room.set(key, rest)
        }
      }
    }
    return { do: "diff", joins, leaves }
  }
}

export const generate = (seed) => {
  const random = new Random(seed)
  const servers = random.times(CHANNELS, () => new Server(random))
  const history = {
    vsn: random.chance(0.15) ? "1.0.0" : undefined,
    decode: random.chance(0.1) ? true : undefined,
    channels: random.times(CHANNELS, () => ({ foreign: random.chance(0.2) ? true : undefined })),
    events: [],
  }
  let presences = 0
  const add = (...events) => history.events.push(...events)
  const follow = (channel) => {
    const names = random.chance(0.15) ? { state: "s", diff: "d" } : undefined
    add({ do: "presence", channel, names, changes: random.chance(0.3) ? true : undefined })
    for (const what of ["onJoin", "onLeave", "onSync"]) {
      if (random.chance(0.75)) {
        add({ do: "listen", presence: presences, what, how: listener(random) })
      }
    }
    presences++
  }
  const channel = () => (random.chance(0.8) ? 0 : 1)
  const frame = (event, number) => {
    const join = random.weighted([
      [6, "none"],
      [5, "now"],
      [1, "old"],
    ])
    const space = random.weighted([
      [12, undefined],
      [1, " "],
      [1, "\n\t"],
    ])
    const name = random.weighted([
      [9, undefined],
      [2, "s"],
      [1, "default"],
    ])
    add({ ...event, channel: number, from: join === "none" ? undefined : join, space, name })
  }
  follow(0)
  if (random.chance(0.9)) {
    add({ do: "join", channel: 0 })
    if (random.chance(0.9)) {
      add({ do: "open" }, { do: "answer", channel: 0 })
    }
  }
  const length = 2 + random.below(random.pick([6, 15, 40]))
  for (let step = 0; step < length; step++) {
    const number = channel()
    const server = servers[number]
    random.weighted([
      [10, () => frame(server.state(), number)],
      [26, () => frame(server.diff(), number)],
      [3, () => again(random, add, presences, () => frame(server.state(), number))],
      [3, () => frame({ do: "state", list: randomState(random) }, number)],
      [6, () => frame(randomDiff(random), number)],
      [1, () => frame({ do: "nonsense", text: nonsense(random), diff: random.chance(0.5) }, number)],
      [
        2,
        () =>
          add(
            { do: "crash", channel: number, from: random.pick([undefined, "now", "old"]) },
            { do: "wait", ms: 1000 },
          ),
      ],
      [2, () => reconnect(random, add, number, frame, server)],
      [2, () => add({ do: "lose" })],
      [3, () => add({ do: "open" })],
      [5, () => add({ do: "answer", channel: number, status: random.chance(0.15) ? "error" : undefined })],
      [2, () => add({ do: "wait", ms: random.pick([1, 10, 1000, 2000, 5000, 10000]) })],
      [2, () => add({ do: "join", channel: number })],
      [random.chance(0.25) ? 1 : 0, () => add({ do: "leave", channel: number })],
      [
        random.chance(0.2) ? 1 : 0,
        () => add({ do: "close", channel: number, from: random.pick([undefined, "now"]) }),
      ],
      [
        random.chance(0.3) ? 1 : 0,
        () => add({ do: "hook", channel: number, how: random.pick(["same", "copy", "empty"]) }),
      ],
      [
        1,
        () =>
          add({
            do: "on",
            channel: number,
            event: random.pick(["presence_state", "presence_diff", "s", "d", "other"]),
          }),
      ],
      [
        random.chance(0.2) ? 1 : 0,
        () => add({ do: "off", channel: number, event: random.pick(["presence_state", "presence_diff"]) }),
      ],
      [random.chance(0.3) ? 1 : 0, () => frame({ ...server.diff(), trigger: true }, number)],
      [random.chance(0.3) ? 1 : 0, () => frame({ ...server.state(), trigger: true }, number)],
      [presences < 3 ? 2 : 0, () => follow(number)],
      [
        4,
        () =>
          add({
            do: "listen",
            presence: random.below(presences),
            what: random.pick(["onJoin", "onLeave", "onSync"]),
            how: listener(random),
          }),
      ],
      [12, () => add({ do: "look", presence: random.below(presences) })],
    ])()
  }
  return history
}

const listener = (random) =>
  random.weighted([
    [8, "log"],
    [5, "look"],
    [2, "throw"],
    [1, "nothing"],
    [1, "relisten"],
  ])

const randomState = (random) => presences(random, 6)

const randomDiff = (random) => {
  const half = () => presences(random, random.pick([0, 1, 2, 20]))
  return {
    do: "diff",
    joins: half(),
    leaves: half(),
    swapped: random.chance(0.3) ? true : undefined,
    more: random.chance(0.1)
      ? random.pick(['"other":[1]', '"joins":{}', '"leaves":{}', '"jo\\u0069ns":{}'])
      : undefined,
  }
}

/** A state while the list is up to date, which it often has nothing to add to. */
const again = (random, add, presences, state) => {
  add({ do: "look", presence: random.below(presences) })
  state()
}

/** A connection goes and comes back, with what the old join's last diffs may be among. */
const reconnect = (random, add, channel, frame, server) => {
  const maybe = (probability, act) => random.chance(probability) && act()
  maybe(0.4, () => add({ do: "crash", channel }, { do: "wait", ms: 1000 })) ||
    add({ do: "lose" }, { do: "wait", ms: 10 }, { do: "open" })
  maybe(0.4, () => frame(server.diff(), channel))
  maybe(0.3, () => add({ do: "look", presence: 0 }))
  maybe(0.9, () => add({ do: "answer", channel }))
  maybe(0.6, () => frame(server.diff(), channel))
  maybe(0.2, () => frame(server.diff(), channel))
  maybe(0.9, () => frame(server.state(), channel))
}
