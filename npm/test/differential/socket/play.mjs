// Plays a life of a socket over one of the two libraries, and writes down all that can be seen of it.

import * as phoenix from "phoenix"
import * as ours from "phoenix-presence"
import { Clock } from "../clock.mjs"
import { closePage, openPage } from "../page.mjs"
import { transports } from "../transport.mjs"
import { Model } from "./model.mjs"

const json = (value) => JSON.stringify(value)

class Stage {
  channels = []
  #reactions
  #removed = new Set()
  #pushes = []
  #log = []
  /** What happened at this moment of this event. Here all is sent first, then all are called; phoenix.js mixes them. */
  #moment = { at: -1, wire: [], called: [], asked: [] }
  #callbacks = 0
  #told = 0
  #seen = ""

  constructor(history, modelled) {
    this.history = history
    this.#reactions = [...history.reactions]
    this.modelled = modelled
    this.lib = modelled ? phoenix : ours
    this.clock = new Clock((error) => this.#uncaught(error))
    this.clock.install()
    globalThis.reportError = (error) => this.#uncaught(error)
    this.page = openPage(modelled)
    this.Transport = this.#transport()
    const { heartbeat, timeout, waits } = history
    const options = { transport: this.Transport, params: () => ({ now: this.clock.now }) }
    Object.assign(options, heartbeat && { heartbeatIntervalMs: heartbeat }, timeout && { timeout })
    if (waits) {
      options.reconnectAfterMs = this.#backoff("reconnect", waits[0])
      options.rejoinAfterMs = this.#backoff("rejoin", waits[1])
    }
    this.socket = new this.lib.Socket("ws://example.com/socket", options)
    this.model = modelled ? new Model(this.socket, this.clock) : null
    for (const kind of ["onOpen", "onClose", "onError", "onMessage"]) {
      this.socket[kind](this.#heard(kind))
    }
    for (const topic of history.channels) {
      this.#channel(topic)
    }
  }

  run() {
    try {
      for (const [at, event] of this.history.events.entries()) {
        this.#say(`event ${at}`)
        this.#flush()
        this.#guarded(() => this.#do(event))
        this.model?.settled()
        this.#flush()
        this.#look()
      }
      this.#say("end")
      this.#guarded(() => this.socket.disconnect(this.#heard("the last disconnect")))
      for (const transport of this.transports) {
        this.#guarded(() => this.#finish(transport, 1000))
      }
      this.clock.advance(120_000)
      this.#look()
      this.#say(`next ref ${this.socket.makeRef()}, ${this.clock.running} timers`)
      this.#flush()
      return this.#log
    } finally {
      this.clock.uninstall()
      closePage()
    }
  }

  #say(line, list = "called") {
    if (this.#moment.at !== this.clock.now) {
      this.#flush()
    }
    this.#moment[list].push(`${this.clock.now} ${line}`)
  }

  #flush() {
    const { wire, called, asked } = this.#moment
    this.#log.push(...wire, ...called, ...asked)
    this.#moment = { at: this.clock.now, wire: [], called: [], asked: [] }
  }

  /** Whose errors they are is the same; what they say need not be. */
  #uncaught() {
    this.#say("an error")
  }

  #guarded(code) {
    try {
      code()
    } catch (error) {
      this.#uncaught(error)
    }
  }

  #heard(name) {
    return (...args) => {
      const plain = args.map((arg) => (typeof arg === "function" ? "a class" : arg))
      this.#say(`${name} ${json(plain)}`)
      this.#react(name.replace(/\d+/, "N"))
    }
  }

  /** What the user does within a callback, once. */
  #react(callback) {
    const at = this.#reactions.findIndex(({ on }) => on === callback)
    if (at >= 0) {
      const [{ event }] = this.#reactions.splice(at, 1)
      this.#say("within that:")
      this.#guarded(() => this.#do(event))
      this.#say("so far that")
    }
  }

  #backoff(what, ms) {
    return (tries) => {
      this.#say(`${what} ${tries}`, "asked")
      return ms * tries
    }
  }

  /** What can be asked, where it is not as it was. */
  #look() {
    const { socket } = this
    const channels = this.channels.map((channel) => [
      channel.state,
      channel.joinRef(),
      socket.channels.indexOf(channel),
    ])
    const now = json([
      socket.connectionState(),
      socket.closeWasClean,
      socket.establishedConnections,
      channels,
    ])
    if (now !== this.#seen) {
      this.#seen = now
      this.#say(now)
    }
  }

  /** Nothing happens by itself here: when a transport has closed is an event of the history. */
  #transport() {
    const stage = this
    const { Transport, all } = transports()
    this.transports = all
    return class Scripted extends Transport {
      constructor(url, protocols) {
        super(url, protocols)
        stage.#say(`connect ${url}`, "wire")
      }
      send(data) {
        super.send(data)
        stage.#say(`send ${all.indexOf(this)} ${data}`, "wire")
      }
      close(code, reason) {
        stage.#say(`close ${all.indexOf(this)} ${json([code, reason])}`, "wire")
        this.readyState = Math.max(this.readyState, 2)
      }
    }
  }

  #channel(topic) {
    const at = this.channels.length
    const channel = this.socket.channel(`room:${topic}`, () => ({ at: this.clock.now }))
    channel.onClose(this.#heard(`close of ${at}`))
    channel.onError(this.#heard(`error of ${at}`))
    channel.on("shout", this.#heard(`shout of ${at}`))
    this.#receive(channel.joinPush, `join of ${at}`)
    this.channels.push(channel)
  }

  #receive(push, name) {
    for (const status of ["ok", "error", "timeout", "odd"]) {
      push.receive(status, this.#heard(`${name}: ${status}`))
    }
  }

  #finish(transport, code) {
    transport.finishClose(code, true)
    this.model?.closed(transport)
  }

  #do(event) {
    const { socket } = this
    const channel = this.channels[event.channel]
    const transport = this.transports.at(-1 - event.transport)
    switch (event.do) {
      case "connect":
        return socket.connect()
      case "disconnect": {
        const callback = event.told ? this.#heard(`disconnect ${++this.#told}`) : undefined
        return socket.disconnect(callback, event.code, event.code && "why")
      }
      case "join":
        if (this.#isGone(channel)) {
          throw new Error("a channel that is closed stays so")
        }
        return channel.join(event.timeout)
      case "leave": {
        if (this.#isGone(channel)) {
          return
        }
        this.#removed.delete(channel)
        return this.#receive(channel.leave(event.timeout), `leave ${++this.#callbacks}`)
      }
      case "push":
        this.#pushes.push(channel.push("ask", { n: ++this.#callbacks }, event.timeout))
        return this.#receive(this.#pushes.at(-1), `push ${this.#callbacks}`)
      case "again": {
        const push = this.#pushes.at(-1 - event.push)
        // phoenix.js sends it before the join, which no server takes.
        if (!push?.channel.canPush()) {
          return
        }
        return event.send ? push.send() : push.resend(event.timeout ?? push.timeout)
      }
      case "timeout":
        channel.timeout = event.ms
        return
      case "heartbeat":
        socket.heartbeatIntervalMs = event.ms
        return
      case "remove":
        if (socket.channels.includes(channel)) {
          this.#removed.add(channel)
          socket.remove(channel)
        }
        return
      case "ping":
        return this.#say(`ping ${socket.ping(this.#heard("pong"))}`)
      case "raw":
        return socket.push({ topic: "t", event: "e", payload: {}, ref: "raw", join_ref: null })
      case "replace":
        return socket.replaceTransport(this.Transport)
      case "anew":
        return this.channels.length < 8 && this.#channel(event.topic)
      case "off":
        return channel.off("shout")
      case "open":
        return transport?.open()
      case "closed":
        return transport?.readyState === 2 && this.#finish(transport, event.code)
      case "lose":
        if (transport && transport.readyState < 3) {
          transport.lose(event.code, event.error)
          this.model?.closed(transport)
        }
        return
      case "error":
        return transport?.readyState === 1 && transport.onerror({ type: "error" })
      case "buffer":
        if (transport) {
          transport.bufferedAmount = event.full ? 9 : 0
        }
        return
      case "reply":
        return this.#reply(event)
      case "event": {
        const ref = { now: channel.joinRef() ?? null, none: null, old: "1" }[event.join]
        if (event.event === "phx_error" && ref === null) {
          // What has not been joined has no process that could crash.
          return
        }
        const own = event.event === "shout" ? null : ref
        return this.transports.at(-1)?.receive(json([ref, own, channel.topic, event.event, {}]))
      }
      case "page":
        return this.#page(event.what)
      case "wait":
        return this.clock.advance(event.ms)
    }
  }

  /** Whether the channel was left or closed, which in phoenix.js can be undone. */
  #isGone(channel) {
    return !this.socket.channels.includes(channel) && !this.#removed.has(channel)
  }

  #reply({ back, status }) {
    const transport = this.transports.at(-1)
    const sent = transport?.sent.at(-1 - back)
    if (sent !== undefined) {
      const [join_ref, ref, topic] = JSON.parse(sent)
      transport.receive(json([join_ref, ref, topic, "phx_reply", { status, response: { of: ref } }]))
    }
  }

  #page(what) {
    if (what === "hidden" || what === "visible") {
      this.page.document.visibilityState = what
      return this.page.tell("visibilitychange")
    }
    this.page.tell(what)
  }
}

/** What was seen: of this package, or of phoenix.js with the differences that there are on purpose. */
export const play = (history, modelled) => new Stage(history, modelled).run()
