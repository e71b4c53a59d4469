// One program over several libraries of phoenix.js's surface, interleaved; every result is checked. Runs in Node and
// in browsers.

class Transport {
  static last = null
  readyState = 0
  bufferedAmount = 0
  sent = []

  constructor() {
    Transport.last = this
  }

  send(frame) {
    this.sent.push(frame)
  }

  close() {
    this.readyState = 3
    this.onclose?.({ code: 1000 })
  }
}

const TOPIC = "room:bench"
let opened = []

/** A joined channel with a presence, and `feed`, which is the server's voice. */
const open = ({ Socket, Presence }) => {
  const socket = new Socket("ws://bench.invalid/socket", { transport: Transport, heartbeatIntervalMs: 3_600_000 })
  socket.connect()
  opened.push(socket)
  const transport = Transport.last
  transport.readyState = 1
  transport.onopen({})
  const channel = socket.channel(TOPIC, {})
  const presence = new Presence(channel)
  channel.join()
  const [joinRef, ref] = JSON.parse(transport.sent.at(-1))
  const feed = (data) => transport.onmessage({ data })
  feed(JSON.stringify([joinRef, ref, TOPIC, "phx_reply", { status: "ok", response: {} }]))
  return { presence, feed, joinRef }
}

const closeAll = () => {
  for (const socket of opened) {
    socket.disconnect()
  }
  opened = []
}

const refOf = (person, generation = 0) => `GH${(person * 64 + generation).toString(36).padStart(14, "x")}`
const metaOf = (person, generation = 0) => ({
  online_at: String(1_764_000_000 + person),
  status: person % 3 ? "online" : "away",
  phx_ref: refOf(person, generation),
})
const people = (count, from = 0) => {
  const state = {}
  for (let person = from; person < from + count; person++) {
    state[`user-${person}`] = { metas: [metaOf(person)] }
  }
  return state
}
const stateFrame = (joinRef, state) => JSON.stringify([joinRef, null, TOPIC, "presence_state", state])
const diffFrame = (joins, leaves) => JSON.stringify([null, null, TOPIC, "presence_diff", { joins, leaves }])

const check = (what, found, expected) => {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)]
  if (a !== b) {
    throw new Error(`${what}: ${a.slice(0, 200)} instead of ${b.slice(0, 200)}`)
  }
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]

/**
 * The lines of the table. Each gives `{prepare?, run, check?}` for a library; only `run` is timed, `times` times on
 * what `prepare` made.
 */
const lines = (count) => {
  const state = people(count)
  const text = stateFrame("1", state)
  const many = count <= 10 ? 40 : count <= 1000 ? 4 : 1
  const first = (listen) => (lib) => ({
    prepare: () => {
      const room = open(lib)
      const seen = { joins: 0 }
      if (listen) {
        room.presence.onJoin((_key, _current, joined) => {
          seen.joins += joined.metas.length
        })
      }
      return { room, frame: stateFrame(room.joinRef, state), seen }
    },
    run: ({ room, frame }) => {
      room.feed(frame)
      return room.presence.list().length
    },
    check: ({ room, seen }) => {
      check("who is there", room.presence.list(), Object.values(state))
      check("joins told", seen.joins, listen ? count : 0)
    },
  })
  const diffs = (listen) => (lib) => {
    const { presence, feed, joinRef } = open(lib)
    feed(stateFrame(joinRef, state))
    presence.list()
    listen(presence)
    const frames = []
    for (let round = 0; round < 50; round++) {
      const guest = people(1, count + round)
      frames.push(diffFrame(guest, {}), diffFrame({}, guest))
    }
    return {
      per: frames.length,
      run: () => frames.forEach(feed),
      check: () => check("who is there", presence.list(), Object.values(state)),
    }
  }
  const update = (lib) => {
    const { presence, feed, joinRef } = open(lib)
    feed(stateFrame(joinRef, state))
    const seen = { calls: 0 }
    const count_ = (_key, current, other) => {
      seen.calls += current.metas.length + other.metas.length
    }
    presence.onJoin(count_)
    presence.onLeave(count_)
    presence.onSync(() => {
      seen.calls++
    })
    const frames = []
    for (let round = 0; round < 50; round++) {
      const person = (round * 7919) % count
      const key = `user-${person}`
      for (const [from, to] of [
        [0, 1],
        [1, 0],
      ]) {
        const joined = { ...metaOf(person, to), phx_ref_prev: refOf(person, from) }
        frames.push(diffFrame({ [key]: { metas: [joined] } }, { [key]: { metas: [metaOf(person, from)] } }))
      }
    }
    return {
      per: frames.length,
      run: () => {
        seen.calls = 0
        frames.forEach(feed)
      },
      check: () => check("calls", seen.calls, 5 * frames.length),
    }
  }
  const resync = (lib) => {
    const { presence, feed, joinRef } = open(lib)
    const frame = stateFrame(joinRef, state)
    feed(frame)
    presence.list()
    return {
      run: () => {
        feed(frame)
        return presence.list().length
      },
      check: () => check("who is there", presence.list(), Object.values(state)),
    }
  }
  const name = ([first, ...rest]) => `${first.phx_ref} (${rest.length + 1})`
  return [
    { name: "first sync + list", times: many, of: first(false), parse: () => JSON.parse(text) },
    { name: "first sync + list, onJoin set", times: many, of: first(true) },
    { name: "resync unchanged + list", times: many, of: resync, parse: () => JSON.parse(text) },
    { name: "diff", of: diffs(() => {}) },
    { name: "diff + list on sync", of: diffs((presence) => presence.onSync(() => presence.list())) },
    {
      name: "diff + list(chooser) on sync",
      of: diffs((presence) => presence.onSync(() => presence.list((_key, { metas }) => name(metas)))),
    },
    { name: "update, all callbacks set", of: update },
  ]
}

/** Runs the table for rooms of these sizes. `libs`: by name, ours last. `report` gets a line as it is measured. */
export const measure = async ({ libs, sizes, rounds = 11, gc = () => {}, report }) => {
  const names = Object.keys(libs)
  for (const count of sizes) {
    for (const { name, times = 1, of, parse } of lines(count)) {
      const programs = {}
      for (const lib of names) {
        programs[lib] = of(libs[lib])
      }
      if (parse) {
        programs.parse = { run: parse }
      }
      const taken = Object.fromEntries(Object.keys(programs).map((lib) => [lib, []]))
      const sample = async (lib) => {
        const { prepare, run, check, per = 1 } = programs[lib]
        const rooms = Array.from({ length: times }, () => prepare?.())
        gc()
        const start = performance.now()
        for (const room of rooms) {
          run(room)
        }
        const end = performance.now()
        for (const room of check ? rooms : []) {
          check(room)
        }
        if (prepare) {
          closeAll()
        }
        // What is forgotten can be freed only between tasks.
        await new Promise((resolve) => setTimeout(resolve))
        return ((end - start) * 1000) / times / per
      }
      for (let round = 0; round < (count >= 10_000 ? 3 : 15); round++) {
        for (const lib of Object.keys(programs)) {
          await sample(lib)
        }
      }
      for (let round = 0; round < rounds; round++) {
        for (const lib of round % 2 ? Object.keys(programs) : Object.keys(programs).reverse()) {
          taken[lib].push(await sample(lib))
        }
      }
      closeAll()
      const microseconds = Object.fromEntries(Object.entries(taken).map(([lib, all]) => [lib, median(all)]))
      report({ name, count, microseconds })
    }
  }
}

/** A line as text: the time of the last library, and how many times longer the others took. */
export const written = ({ name, count, microseconds }) => {
  const { parse, ...libs } = microseconds
  const ours = Object.values(libs).at(-1)
  const others = Object.entries(libs).slice(0, -1)
  const ratios = others.map(([lib, time]) => `${lib} ${(time / ours).toFixed(2)}×`.padStart(20))
  const beside = parse === undefined ? "" : `  (${(ours / parse).toFixed(2)} × JSON.parse)`
  return `${name.padEnd(30)} ${String(count).padStart(6)} people ${ours.toFixed(2).padStart(10)} µs ${ratios.join("")}${beside}`
}
