// A server on fake timers, in the place of a transport: it knows who is in each room, tells all who are there, and
// answers what it is asked.

import { Serializer } from "../../src/index.js"

type Roster = Record<string, { metas: { phx_ref: string }[] }>

/** As an event loop calls a listener: what it throws is reported as uncaught, and goes no further. */
const emit = (call: () => void): void => {
  try {
    call()
  } catch (error) {
    globalThis.reportError(error)
  }
}

class Transport {
  readyState = 0
  bufferedAmount = 0
  onopen: any
  onclose: any
  onerror: any
  onmessage: any
  /** The join_refs of the topics that were joined over it. */
  readonly joined = new Map<string, string>()
  readonly #server: ScriptedServer

  constructor(server: ScriptedServer) {
    this.#server = server
    setTimeout(() => {
      if (this.readyState === 0) {
        this.readyState = 1
        emit(() => this.onopen({}))
      }
    }, 1)
  }

  send(frame: any): void {
    setTimeout(() => this.readyState === 1 && this.#server.received(this, frame), 1)
  }

  close(code = 1005, reason = ""): void {
    if (this.readyState < 2) {
      this.readyState = 2
      setTimeout(() => this.end(code, reason), 1)
    }
  }

  /** The connection is gone; `broken`, if nobody closed it. */
  end(code: number, reason = "", broken = false): void {
    this.readyState = 3
    if (broken) {
      emit(() => this.onerror({ type: "error" }))
    }
    emit(() => this.onclose({ code, reason, wasClean: !broken }))
  }

  tell(...[join_ref, ref, topic, event, payload]: any[]): void {
    const data = Serializer.encode({ join_ref, ref, topic, event, payload }, (frame) => frame)
    setTimeout(() => this.readyState === 1 && emit(() => this.onmessage({ data })), 1)
  }
}

export class ScriptedServer {
  readonly transports: Transport[] = []
  readonly rosters = new Map<string, Roster>()
  #refs = 0

  /** For the option `transport`. */
  get transport(): any {
    const server = this
    return function make() {
      const transport = new Transport(server)
      server.transports.push(transport)
      return transport
    }
  }

  roster(topic: string): Roster {
    const roster = this.rosters.get(topic) ?? {}
    this.rosters.set(topic, roster)
    return roster
  }

  enter(topic: string, key: string): void {
    const presence = { metas: [{ phx_ref: `r${++this.#refs}` }] }
    this.roster(topic)[key] = presence
    this.broadcast(topic, "presence_diff", { joins: { [key]: presence }, leaves: {} })
  }

  update(topic: string, key: string): void {
    const before = this.roster(topic)[key]
    const after = { metas: [{ phx_ref: `r${++this.#refs}`, phx_ref_prev: before.metas[0].phx_ref }] }
    this.roster(topic)[key] = after
    this.broadcast(topic, "presence_diff", { joins: { [key]: after }, leaves: { [key]: before } })
  }

  leave(topic: string, key: string): void {
    const { [key]: presence, ...others } = this.roster(topic)
    this.rosters.set(topic, others)
    this.broadcast(topic, "presence_diff", { joins: {}, leaves: { [key]: presence } })
  }

  broadcast(topic: string, event: string, payload: unknown): void {
    for (const transport of this.transports.filter(({ joined }) => joined.has(topic))) {
      transport.tell(null, null, topic, event, payload)
    }
  }

  /** Every connection breaks. */
  lose(code = 1006): void {
    for (const transport of this.transports.filter(({ readyState }) => readyState === 1)) {
      transport.end(code, "", true)
    }
  }

  crash(topic: string): void {
    this.#end(topic, "phx_error", { reason: "channel_crash" })
  }

  close(topic: string): void {
    this.#end(topic, "phx_close", {})
  }

  received(transport: Transport, frame: any): void {
    const { join_ref, ref, topic, event, payload } = Serializer.decode(frame, (message) => message)
    const reply = (status: string, response: unknown = {}) =>
      transport.tell(join_ref, ref, topic, "phx_reply", { status, response })
    switch (event) {
      case "phx_join":
        if (topic === "forbidden") {
          return reply("error", { reason: "no" })
        }
        transport.joined.set(topic, join_ref)
        reply("ok")
        return transport.tell(join_ref, null, topic, "presence_state", this.roster(topic))
      case "phx_leave":
        reply("ok")
        return this.#leave(transport, topic, "phx_close", {})
      case "refuse":
        return reply("error", { reason: "no" })
      case "ignore":
        return
      default:
        return reply("ok", payload)
    }
  }

  #end(topic: string, event: string, payload: unknown): void {
    for (const transport of this.transports.filter(({ joined }) => joined.has(topic))) {
      this.#leave(transport, topic, event, payload)
    }
  }

  #leave(transport: Transport, topic: string, event: string, payload: unknown): void {
    const joinRef = transport.joined.get(topic)
    transport.joined.delete(topic)
    if (joinRef !== undefined) {
      transport.tell(joinRef, joinRef, topic, event, payload)
    }
  }
}
