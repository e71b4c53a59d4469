// Plays a history of presences over one of the two libraries, and writes down all that can be seen of it.

import * as phoenix from "phoenix"
import * as ours from "phoenix-presence"
import { Clock } from "../clock.mjs"
import { transports } from "../transport.mjs"
import { ModelPresence } from "./model.mjs"
import { diffText, stateText } from "./payload.mjs"

const json = (value) => (value === undefined ? "undefined" : JSON.stringify(value))

/**
 * A presence whatever the order of its metas, which says nothing: a ref that joins again moves to the end, and that is
 * no change.
 */
const unordered = (presence) =>
  json(presence && { ...presence, metas: presence.metas.map((meta) => json(meta)).sort() })

/** The old format for phoenix.js, which speaks the new one only. */
const V1 = {
  encode: ({ topic, event, payload, ref }, callback) =>
    callback(JSON.stringify({ topic, event, payload, ref })),
  decode: (frame, callback) => {
    const { topic, event, payload, ref } = JSON.parse(frame)
    callback({ join_ref: null, topic, event, payload, ref })
  },
}

/** A channel that is neither library's. */
class ForeignChannel {
  #handlers = []
  #joins = 0
  #guarded
  #ref
  state = "closed"

  constructor(guarded) {
    this.#guarded = guarded
  }
  on(event, handler) {
    this.#handlers.push({ event, handler })
  }
  off(event) {
    this.#handlers = this.#handlers.filter((one) => one.event !== event)
  }
  join() {
    this.#ref = `f${++this.#joins}`
    this.state = "joining"
  }
  joinRef() {
    return this.#ref
  }
  answer(status) {
    if (this.state === "joining") {
      this.state = status === "ok" ? "joined" : "errored"
    }
  }
  trigger(event, payload) {
    for (const one of this.#handlers.filter((one) => one.event === event)) {
      this.#guarded(() => one.handler(payload))
    }
  }
}

class Stage {
  log = []
  /** Whether the frame under way names no join, while one is unanswered. */
  early = false
  channels = []
  presences = []
  oldJoins = new Map()
  uncaught = (error) => {
    this.log.push(`uncaught ${error.message.startsWith("boom") ? error.message : "error"}`)
  }
  guarded = (code) => {
    try {
      code()
    } catch (error) {
      this.uncaught(error)
    }
  }

  constructor(history, modelled) {
    this.history = history
    this.modelled = modelled
    const { Transport, all } = transports()
    this.transports = all
    this.clock = new Clock(this.uncaught)
    this.clock.install()
    globalThis.reportError = this.uncaught
    const { vsn, decode } = history
    const options = { transport: Transport }
    if (vsn) {
      Object.assign(options, { vsn }, modelled ? V1 : {})
    }
    if (decode) {
      options.decode = vsn
        ? V1.decode
        : (raw, callback) => {
            const [join_ref, ref, topic, event, payload] = JSON.parse(raw)
            callback({ join_ref, ref, topic, event, payload })
          }
    }
    this.socket = new (modelled ? phoenix : ours).Socket("ws://example.com/socket", options)
    this.socket.connect()
    history.channels?.forEach(({ foreign }, at) => {
      const channel = foreign ? new ForeignChannel(this.guarded) : this.socket.channel(`room:${at}`, {})
      if (modelled && !foreign) {
        // A channel that is closed stays closed. In phoenix.js the join under way times out, and is tried again.
        channel.onClose(() => channel.joinPush.cancelTimeout())
      }
      this.channels.push({ channel, foreign, hooked: false, topic: `room:${at}` })
    })
  }

  get server() {
    return this.transports.at(-1)
  }

  run() {
    try {
      for (const [at, event] of this.history.events.entries()) {
        this.log.push(`event ${at}`)
        this.guarded(() => this.#do(event))
      }
      this.log.push("end")
      for (const at of this.presences.keys()) {
        this.#look(at)
      }
      for (const transport of this.transports) {
        this.log.push(`sent ${json(transport.sent)}`)
      }
      for (const { channel } of this.channels) {
        this.log.push(`state ${channel.state}`)
      }
      return this.log.slice()
    } finally {
      this.socket.disconnect()
      this.clock.advance(60000)
      this.clock.uninstall()
    }
  }

  #do(event) {
    const at = this.channels[event.channel]
    if (event.channel !== undefined && at === undefined) {
      return
    }
    switch (event.do) {
      case "presence":
        return this.#follow(at, event)
      case "listen":
        return this.#listen(event)
      case "look": {
        const { presence, changed } = this.presences[event.presence] ?? {}
        if (presence !== undefined && !this.modelled) {
          this.#checkViews(presence, changed)
        }
        return this.#look(event.presence)
      }
      case "state":
        return this.#payload(at, event, "state", stateText(event.list, event.space))
      case "diff":
        return this.#payload(at, event, "diff", diffText(event, event.space))
      case "nonsense":
        return this.#payload(at, event, event.diff ? "diff" : "state", event.text)
      case "join":
        if (at.foreign) {
          at.channel.join()
        } else if (!at.channel.joinedOnce) {
          if (this.modelled && !this.socket.channels.includes(at.channel)) {
            // phoenix.js joins it, and hears nothing of it ever after.
            throw new Error("the channel is closed")
          }
          at.channel.join()
        }
        return
      case "answer":
        return this.#answer(at, event.status ?? "ok")
      case "crash":
        if (at.foreign) {
          at.channel.join()
        } else if (at.channel.joinedOnce) {
          // What has not been joined has no process that could crash.
          this.oldJoins.set(at, at.channel.joinRef())
          this.#frame(at, event.from, "phx_error", "{}")
        }
        return
      case "close":
        return at.foreign || this.#frame(at, event.from, "phx_close", "{}")
      case "leave":
        if (
          this.modelled &&
          at.channel.joinedOnce !== undefined &&
          !this.socket.channels.includes(at.channel)
        ) {
          // A channel that is closed can't be left again. phoenix.js tells the server, and calls onClose once more.
          return
        }
        return at.foreign || at.channel.leave()
      case "lose":
        for (const one of this.channels) {
          this.oldJoins.set(one, one.channel.joinRef())
        }
        return this.server.lose()
      case "open":
        if (this.server.readyState === 3) {
          this.clock.advance(10)
        }
        return this.server.open()
      case "wait":
        return this.clock.advance(event.ms)
      case "on":
        return at.channel.on(event.event, (...args) =>
          this.log.push(`on ${event.event} ${args.map(json).join(" ")}`),
        )
      case "off":
        // From then on presences get their payloads by the channel's callbacks; if there are any that lost theirs.
        at.hooked ||= this.presences.some((one) => one.at === at && one.events.includes(event.event))
        return at.channel.off(event.event)
      case "hook":
        return at.foreign || this.#hook(at, event.how)
    }
  }

  #follow(at, { names, changes }) {
    const options = names ? { events: names } : {}
    const late = () => at.foreign || at.hooked || !!this.history.decode
    const isEarly = () => this.early
    const presence = this.modelled
      ? new ModelPresence(at.channel, options, { guarded: this.guarded, late, isEarly })
      : new ours.Presence(at.channel, options)
    const events = Object.values(names ?? { state: "presence_state", diff: "presence_diff" })
    const changed = this.modelled || !changes ? null : this.#account(presence)
    this.presences.push({ at, events, presence, changed })
  }

  /** What changes make of the roster: nothing that phoenix.js has, but the same roster. */
  #account(presence) {
    const account = new Map()
    presence.subscribe((changes) => {
      for (const { key, before, after } of changes) {
        if (unordered(before ?? undefined) !== unordered(account.get(key))) {
          this.log.push(`${key} was ${json(account.get(key))}, but a change says ${json(before)}`)
        }
        if (after) {
          account.set(key, after)
        } else {
          account.delete(key)
        }
      }
    })
    return account
  }

  /** All views of one roster show the same. */
  #checkViews(presence, account) {
    const keys = presence.list((key) => key)
    const snapshot = presence.getSnapshot()
    const items = presence.list()
    const same =
      presence.size === keys.length &&
      snapshot === presence.getSnapshot() &&
      items !== presence.list() &&
      keys.every((key, at) => {
        const item = items[at]
        return item === snapshot[at] && item === presence.get(key) && item === presence.state[key]
      })
    if (!same) {
      this.log.push("list(), state, get(), size and getSnapshot() differ")
    }
    if (
      account &&
      (account.size !== keys.length ||
        keys.some((key) => unordered(account.get(key)) !== unordered(presence.get(key))))
    ) {
      this.log.push(`the changes amount to ${json([...account])}`)
    }
  }

  #listen({ presence: number, what, how }) {
    const presence = this.presences[number]?.presence
    presence?.[what]((...args) => {
      this.log.push(`${what} of ${number}: ${args.map(json).join(" ")}`)
      if (how === "look") {
        this.#look(number)
      } else if (how === "throw") {
        throw new Error(`boom ${what}`)
      } else if (how === "relisten") {
        for (const other of ["onJoin", "onLeave", "onSync"]) {
          presence[other]((...args) =>
            this.log.push(`again ${other} of ${number}: ${args.map(json).join(" ")}`),
          )
        }
      }
    })
  }

  #look(number) {
    const presence = this.presences[number]?.presence
    if (presence !== undefined) {
      const chosen = presence.list((key, one) => [key, one.metas.length, one])
      const pending = [presence.inPendingSyncState(), presence.pendingDiffs]
      this.log.push(
        `look at ${number}: ${json(presence.list())} ${json(chosen)} ${json(presence.state)} ${json(pending)}`,
      )
    }
  }

  #hook(at, how) {
    at.hooked = true
    at.channel.onMessage = (event, payload, ...rest) => {
      if (this.modelled && payload?.status === "timeout" && event !== `chan_reply_${at.channel.joinRef()}`) {
        // phoenix.js lets the timeout of a join that it has given up go off, as an event without a name; and tells of
        // the timeout of a leave that it has sent itself.
        return payload
      }
      this.log.push(`hook ${event} ${[payload, ...rest].map(json).join(" ")}`)
      if (how === "same" || event.startsWith("phx_") || event.startsWith("chan_")) {
        return payload
      }
      return how === "copy" ? JSON.parse(JSON.stringify(payload)) : {}
    }
  }

  #payload(at, { from, name, trigger }, kind, text) {
    const event = name === "s" ? (kind === "state" ? "s" : "d") : `presence_${kind}`
    if (trigger && !at.foreign && !this.socket.channels.includes(at.channel)) {
      // A presence follows a channel of this package to its end, and no further.
      return
    }
    if (at.foreign || trigger) {
      const payload = JSON.parse(text)
      at.channel.trigger(event, payload)
    } else {
      this.#frame(at, from, event, text)
    }
  }

  #answer(at, status) {
    if (at.foreign) {
      return at.channel.answer(status)
    }
    const ref = at.channel.joinRef()
    if (ref) {
      this.#frame(at, "now", "phx_reply", json({ status, response: {} }), ref)
    }
  }

  #frame(at, from, event, payload, ref = null) {
    const joins = { now: at.channel.joinRef(), old: this.oldJoins.get(at) }
    const joinRef = joins[from] ?? null
    const topic = json(at.topic)
    const text = this.history.vsn
      ? `{"topic":${topic},"event":${json(event)},"payload":${payload},"ref":${json(ref)}}`
      : `[${json(joinRef)},${json(ref)},${topic},${json(event)},${payload}]`
    this.early = (this.history.vsn || joinRef === null) && ["joining", "errored"].includes(at.channel.state)
    try {
      if (this.modelled && this.server.readyState === 1 && !this.history.decode) {
        // A frame that is refused is refused as a whole.
        JSON.parse(text)
        this.#read(at, this.history.vsn ? null : joinRef, event, JSON.parse(payload))
      }
      this.server.receive(text)
    } finally {
      this.early = false
    }
  }

  /** What the engine does with a frame before anybody is called. */
  #read(at, joinRef, event, payload) {
    if (
      !this.socket.channels.includes(at.channel) ||
      (joinRef !== null && joinRef !== at.channel.joinRef())
    ) {
      return
    }
    for (const { at: of, presence } of this.presences) {
      if (of === at && !presence.late() && Object.values(presence.events).includes(event)) {
        presence.read(event, payload)
      }
    }
  }
}

/** What was seen: of this package, or of phoenix.js with the differences that there are on purpose. */
export const play = (history, modelled) => new Stage(history, modelled).run()
