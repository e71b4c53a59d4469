import { Agenda } from "./agenda.js"
import { Alarm } from "./alarm.js"
import type { Channel } from "./channel.js"
import { type ChannelState, EVENTS, READY } from "./constants.js"
import {
  Act,
  Ask,
  act,
  ask,
  asNumbers,
  checked,
  type Machine,
  type MachineOptions,
  machine,
  NONE,
  readText,
  Tag,
  writeText,
} from "./engine.js"
import { Fallback } from "./fallback.js"
import { Frame, type Message } from "./frame.js"
import { guarded, report } from "./guard.js"
import type { Host } from "./host.js"
import * as page from "./page.js"
import { Pings } from "./pings.js"
import { Push } from "./push.js"
import { Serializer, SerializerV1 } from "./serializer.js"
import type { Socket } from "./socket.js"
import { type Listener, Transports } from "./transports.js"

const REASONS = ["connection_closed", "connection_error", "heartbeat_timeout"]
const STATES = ["closed", "errored", "joined", "joining", "leaving"] as const
/** How many numbers an outbox has where all is that one presence has read the frame, and its channel gets it. */
const ONE_PRESENCE = 11

/** Moves bytes, sets the timer and calls the user, as a socket's machine says. Decides nothing. */
export class Driver implements Listener {
  readonly machine: Machine
  readonly #socket: Socket
  readonly #fallback: Fallback
  readonly #transports: Transports
  readonly #serializer: typeof Serializer | typeof SerializerV1
  readonly #channels = new Map<number, Channel>()
  readonly #pushes = new Map<number, Push>()
  readonly #joins = new WeakMap<Channel, number>()
  readonly #presences = new Map<number, { host: Host; channel: number; state: string; diff: string }>()
  readonly #raw = new Map<number, any>()
  readonly #tokens = new Map<number, () => void>()
  readonly #pings = new Pings()
  readonly #agenda = new Agenda((tag, words, at, frame) => this.#step(tag, words, at, frame))
  readonly #alarm = new Alarm(() => this.#wake())
  #count = 0
  #closeEvent: any
  #error: any
  /** An error that belongs to the caller of the method under way, not to nobody. */
  #thrown: { error: unknown } | null = null
  #called = 0

  constructor(socket: Socket, options: MachineOptions, vsn: string) {
    this.#socket = socket
    this.#fallback = new Fallback(socket)
    this.#transports = new Transports(socket, this)
    this.#serializer = vsn.startsWith("1.") ? SerializerV1 : Serializer
    this.machine = machine(options, vsn)
    page.watch(this)
  }

  // What the classes ask for

  get connection(): any {
    return this.#transports.get(this.#connection) ?? null
  }

  adopt(channel: Channel): number {
    const handle = ask(this.machine, Ask.Channel, writeText(channel.topic))
    const join = ask(this.machine, Ask.JoinPush, handle)
    this.#channels.set(handle, channel)
    this.#joins.set(channel, join)
    this.#pushes.set(join, channel.joinPush)
    return handle
  }

  attach(host: Host, channel: Channel, state: string, diff: string): void {
    this.#presences.set(host.handle, { host, channel: channel.handle, state, diff })
  }

  detach(host: Host): void {
    if (this.#presences.delete(host.handle)) {
      host.detach()
      ask(this.machine, Ask.PresenceRelease, host.handle)
    }
  }

  channelState(handle: number): ChannelState {
    return STATES[ask(this.machine, Ask.ChannelState, handle)]
  }

  joinRef(channel: Channel): string | null | undefined {
    return joinRefOf(ask(this.machine, Ask.JoinRef, channel.handle), channel)
  }

  makeRef(): string {
    return String(ask(this.machine, Ask.MakeRef))
  }

  connect(): void {
    this.#call(() => this.#act(Act.Connect))
  }

  disconnect(callback?: () => void, code?: number, reason?: string): void {
    let token = NONE
    if (callback) {
      token = ++this.#count
      this.#tokens.set(token, callback)
    }
    this.#fallback.stop()
    this.#call(() => this.#act(Act.Disconnect, code ?? NONE, writeText(reason ?? ""), token))
  }

  replaceTransport(): void {
    this.#fallback.stop()
    this.#call(() => this.#act(Act.ReplaceTransport))
  }

  join(channel: Channel, timeout: number): void {
    this.#call(() => this.#act(Act.Join, channel.handle, timeout))
  }

  push(channel: Channel, push: Push, timeout: number): void {
    this.#call(() => {
      const event = writeText(push.event)
      const handle = ask(this.machine, Ask.Push, this.now(), channel.handle, timeout, event)
      this.#pushes.set(handle, push)
      push.ref = refOf(ask(this.machine, Ask.PushRef, handle))
      return this.#act(Act.Drain)
    })
  }

  /** What becomes of what was sent of this push is no longer its own. */
  disown(push: Push): void {
    for (const [handle, other] of this.#pushes) {
      if (other === push) {
        this.#pushes.set(handle, new Push(push.channel, push.event, push.payload, push.timeout))
      }
    }
  }

  leave(channel: Channel, push: Push, timeout: number): void {
    this.#call(() => {
      const handle = ask(this.machine, Ask.Leave, this.now(), channel.handle, timeout)
      if (handle === 0) {
        push.settle({ status: "ok", response: {} })
      } else {
        this.#pushes.set(handle, push)
      }
      return this.#act(Act.Drain)
    })
  }

  sendRaw(message: Message): void {
    const number = ++this.#count
    this.#raw.set(number, message)
    this.#call(() => this.#act(Act.SendRaw, number))
  }

  ping(callback: (rtt: number) => void): boolean {
    let sent = false
    this.#call(() => {
      const ref = ask(this.machine, Ask.Ping)
      sent = ref !== 0
      if (sent) {
        this.#pings.add(String(ref), this.#connection, callback)
      }
      return this.#act(Act.Drain)
    })
    return sent
  }

  /** Does what is left to do. */
  drain(): void {
    this.#do(Act.Drain)
  }

  /** The page's own events; see `page.ts`. */
  handlePage(what: "visibility" | "hide" | "show" | "online"): void {
    this.#look()
    switch (what) {
      case "visibility":
        return this.#do(Act.HandleVisibility, Number(page.isHidden()))
      case "hide":
        this.#fallback.stop()
        return this.#do(Act.HandlePageHide)
      case "show":
        return this.#do(Act.HandlePageShow)
      case "online":
        return this.#do(Act.HandleOnline)
    }
  }

  /** The machine's time. */
  now(): number {
    return this.#alarm.now()
  }

  get #connection(): number {
    return ask(this.machine, Ask.Connection)
  }

  #act(what: Act, a?: number, b?: number, c?: number): number {
    return act(this.machine, what, this.now(), a, b, c)
  }

  #do(what: Act, a?: number, b?: number, c?: number): void {
    this.run(this.#act(what, a, b, c))
  }

  /** Does it once all is done that there is to do by now. */
  #after(what: Act, a?: number, b?: number, c?: number): void {
    this.run(this.#act(what, a, b, c), Frame.none, true)
  }

  /** A method of the user's calling: errors of what it does at once are its own. */
  #call(method: () => number): void {
    this.#called++
    try {
      this.#look()
      this.run(method())
    } finally {
      this.#called--
    }
    if (this.#thrown !== null && this.#called === 0) {
      const { error } = this.#thrown
      this.#thrown = null
      throw error
    }
  }

  /** It is the machine's time. */
  #wake(): void {
    this.#look()
    this.#transports.lookAtOthers(this.#connection)
    this.#do(Act.HandleTimeout, Number(page.isHidden()))
  }

  // What transports tell

  opening(connection: number): void {
    if (this.#connection === connection) {
      this.#fallback.watch()
    }
  }

  opened(connection: number, { skipHeartbeat }: any, url: string): void {
    if (this.#connection === connection) {
      this.#socket.logConnected(url)
      this.#socket.establishedConnections++
      this.#do(Act.HandleOpen, connection, Number(!!skipHeartbeat))
    }
  }

  errored(connection: number, error: unknown): void {
    this.#error = error
    this.#look()
    this.#do(Act.AnnounceError, connection)
  }

  closed(connection: number, event: any): void {
    this.#closeEvent = event
    if (this.#connection === connection && this.#socket.hasLogger()) {
      this.#socket.log("transport", "close", event)
    }
    // LongPoll closes at once, within what it was told by.
    this.#after(Act.HandleClose, connection, event?.code ?? NONE)
    this.#pings.lose(connection)
  }

  abandoned(connection: number): void {
    this.#after(Act.HandleClose, connection, NONE)
  }

  closing(connection: number, readyState: number, buffered: boolean): void {
    this.#after(Act.HandleTransport, connection, readyState, Number(buffered))
  }

  failed(connection: number, error: unknown): void {
    if (this.#called > 0) {
      this.#thrown ??= { error }
      this.#do(Act.ReplaceTransport)
    } else {
      report(error)
      this.#error = error
      this.#closeEvent = { code: NONE, reason: String(error), wasClean: false }
      this.#do(Act.AnnounceError, connection)
    }
    this.#do(Act.HandleClose, connection, NONE)
  }

  seen(connection: number, readyState: number, buffered: boolean): void {
    this.#do(Act.HandleTransport, connection, readyState, Number(buffered))
  }

  #look(): void {
    this.#transports.look(this.#connection)
  }

  received(connection: number, data: any): void {
    const socket = this.#socket
    if (!socket.decodesItself()) {
      socket.decode(data, (message: Message) => this.#receiveMessage(connection, message))
    } else if (typeof data === "string") {
      this.#receiveText(connection, data)
    } else {
      Serializer.decode(data, (message) => this.#receiveMessage(connection, message))
    }
  }

  #receiveText(connection: number, text: string): void {
    const frame = new Frame(text, this.#serializer)
    if (this.#socket.hasLogger()) {
      this.#socket.logReceived(frame.message)
    }
    const length = writeText(text)
    let outbox: number
    try {
      outbox = checked(this.machine.handle_text(this.now(), connection, length))
    } catch (error) {
      report(error)
      return
    }
    this.#handle(outbox, frame)
  }

  #receiveMessage(connection: number, message: Message): void {
    const socket = this.#socket
    if (socket.hasLogger()) {
      socket.logReceived(message)
    }
    const { join_ref, ref, topic, event, payload } = message
    const reply = event === EVENTS.reply ? payload : null
    const length = writeText(JSON.stringify([text(join_ref), text(ref), topic, event, reply], textOnly))
    this.#handle(this.#act(Act.HandleMessage, connection, length), new Frame("", null, message))
  }

  /** Does what a frame has left to do, and then tells that it came. */
  #handle(outbox: number, frame: Frame): void {
    this.run(outbox, frame)
    const socket = this.#socket
    if (socket.stateChangeCallbacks.message.length > 0) {
      socket.call("message", frame.message)
    }
    this.#pings.handle(frame)
  }

  // What is to be done

  /** Does what the machine has left in its outbox, which stands there: at once, or after all that there is to do. */
  run(outbox: number, frame: Frame = Frame.none, after = false): void {
    const at = outbox / 8
    const numbers = asNumbers()
    const end = at + numbers[at]
    this.#alarm.set(numbers[at + 1])
    if (end === at + ONE_PRESENCE && numbers[at + 2] === Tag.Presence && numbers[at + 6] === Tag.Deliver) {
      // As most frames are in a large room: not worth the way by the agenda.
      const presence = numbers[at + 3]
      const due = numbers[at + 4]
      const kind = numbers[at + 5]
      const channel = numbers[at + 7]
      const closed = numbers[at + 8]
      const joinRef = numbers[at + 10]
      this.#hasRead(presence, due, kind, frame)
      this.#deliver(channel, closed, 0, joinRef, frame)
    } else if (after) {
      this.#agenda.append(numbers, at + 2, end)
    } else if (end > at + 2) {
      this.#agenda.work(numbers, at + 2, end, frame)
    }
  }

  #step(tag: number, words: number[], at: number, frame: Frame): void {
    const first = words[at]
    const socket = this.#socket
    switch (tag) {
      case Tag.Connect:
        return this.#transports.open(first)
      case Tag.Prepare:
        return this.#own(() => this.#prepare(first, words[at + 1], words[at + 2]))
      case Tag.Send:
        return this.#own(() => this.#send(words, at))
      case Tag.SendRaw: {
        const message = this.#raw.get(words[at + 1])
        this.#raw.delete(words[at + 1])
        return this.#own(() => this.#encode(first, message, 0, 0))
      }
      case Tag.Close:
        return this.#own(() => {
          const reason = words[at + 1] ? readText(ask(this.machine, Ask.TakeReason)) : undefined
          this.#transports.close(first, words[at + 1], reason)
        })
      case Tag.Opened:
        return socket.call("open")
      case Tag.Failed:
        socket.callError(this.#error)
        return this.#after(Act.HandleErrorAnnounced, first)
      case Tag.Closed:
        return socket.call("close", this.#closeEvent)
      case Tag.GaveUp:
        return socket.gaveUp(first)
      case Tag.Disconnected: {
        const callback = this.#tokens.get(first)
        this.#tokens.delete(first)
        return callback && guarded(callback)
      }
      case Tag.ChannelErrored: {
        const channel = this.#channels.get(first)
        const reason = { source: "transport", reason: REASONS[words[at + 1]] }
        return channel && guarded(() => channel.trigger(EVENTS.error, reason))
      }
      case Tag.ChannelClosed:
      case Tag.JoinGaveUp: {
        const channel = this.#forget(first)
        const joinRef = joinRefOf(tag === Tag.ChannelClosed ? words[at + 1] : 0, channel)
        const reason = tag === Tag.ChannelClosed ? "leave" : "join refused"
        return channel && guarded(() => channel.close(reason, joinRef))
      }
      case Tag.PushTimeout:
        return this.#settle(first, { status: "timeout", response: {} })
      case Tag.PushLeft:
        return this.#settle(first, { status: "ok", response: {} })
      case Tag.PushDisconnected:
        return this.#pushes.get(first)?.lose()
      case Tag.PresenceStatus:
        return this.#presences.get(first)?.host.tellStatus()
      case Tag.DelayNeeded:
        return this.#delay(first, words[at + 1])
      case Tag.Deliver:
        return this.#deliver(first, words[at + 1], words[at + 2], words[at + 3], frame)
      case Tag.Presence:
        return this.#hasRead(first, words[at + 1], words[at + 2], frame)
    }
  }

  /** Runs user code whose errors belong to whoever called the method under way. */
  #own(code: () => void): void {
    try {
      code()
    } catch (error) {
      if (this.#called > 0) {
        this.#thrown ??= { error }
      } else {
        report(error)
      }
    }
  }

  /** A push is being sent while there is no connection. */
  #prepare(id: number, joinRef: number, ref: number): void {
    const push = this.#pushes.get(id)
    if (push !== undefined) {
      const { channel, event } = push
      push.ref = refOf(ref)
      const payload = push.prepare()
      const join_ref = joinRefOf(joinRef, channel)
      this.#logPush({ topic: channel.topic, event, payload, ref: push.ref, join_ref })
    }
  }

  #logPush({ join_ref, ref, topic, event, payload }: Message): void {
    if (this.#socket.hasLogger()) {
      this.#socket.log("push", `${topic} ${event} (${join_ref}, ${ref})`, payload)
    }
  }

  #send(words: number[], at: number): void {
    const [connection, joinRef, ref, channelId, pushId] = words.slice(at, at + 5)
    const channel = this.#channels.get(channelId)
    const push = this.#pushes.get(pushId)
    if (push !== undefined) {
      push.ref = String(ref)
    }
    const prepared = push?.isPrepared()
    // In phoenix.js's order, which a custom `encode` may show.
    const message: Message = {
      topic: channel?.topic ?? "phoenix",
      event: channelId === 0 ? "heartbeat" : (push?.event ?? EVENTS.leave),
      payload: push?.takePayload() ?? {},
      ref: String(ref),
      join_ref: joinRefOf(joinRef, channel),
    }
    if (!prepared) {
      this.#logPush(message)
    }
    const leaves = message.event === EVENTS.leave
    this.#encode(connection, message, leaves ? 0 : channelId, leaves ? 0 : joinRef)
  }

  #encode(connection: number, message: Message, channel: number, joinRef: number): void {
    const transport = this.#transports.get(connection)
    const socket = this.#socket
    if (socket.encodesItself()) {
      if (transport?.readyState === READY.open) {
        this.#serializer.encode(message, (frame: any) => transport.send(frame))
      }
    } else {
      socket.encode(message, (frame: any) => {
        this.#look()
        if (ask(this.machine, Ask.MayTransmit, connection, channel, joinRef) === 1) {
          transport.send(frame)
        }
      })
    }
  }

  /** A presence has read the frame, and something is due. */
  #hasRead(id: number, due: number, kind: number, frame: Frame): void {
    const presence = this.#presences.get(id)
    if (presence !== undefined) {
      frame.engineRead = kind === 0 ? presence.state : presence.diff
      presence.host.prepare(due)
    }
  }

  #deliver(id: number, closed: number, pushId: number, joinRef: number, frame: Frame): void {
    const channel = closed ? this.#forget(id) : this.#channels.get(id)
    const push = pushId === 0 ? undefined : this.#pushes.get(pushId)
    if (push !== undefined && push !== channel?.joinPush) {
      this.#pushes.delete(pushId)
    }
    if (channel !== undefined) {
      if (closed) {
        channel.closed(joinRefOf(joinRef, channel))
      }
      try {
        channel.receive(frame, push)
      } catch (error) {
        report(error)
      }
    }
  }

  #settle(id: number, response: { status: string; response: any }): void {
    const push = this.#pushes.get(id)
    if (push === undefined) {
      return
    }
    if (push !== push.channel.joinPush) {
      this.#pushes.delete(id)
    } else {
      this.#socket.log("channel", `timeout ${push.channel.topic} (${push.ref})`, push.timeout)
    }
    guarded(() => push.channel.settle(push, response, push.ref))
  }

  /** The channel is no longer the socket's. */
  #forget(id: number): Channel | undefined {
    const channel = this.#channels.get(id)
    this.#channels.delete(id)
    if (channel !== undefined) {
      this.#pushes.delete(this.#joins.get(channel)!)
      this.#socket.remove(channel)
    }
    for (const presence of [...this.#presences.values()]) {
      if (presence.channel === id) {
        this.detach(presence.host)
      }
    }
    return channel
  }

  #delay(channel: number, tries: number): void {
    const socket = this.#socket
    let ms = channel === 0 ? 5000 : 10000
    this.#own(() => {
      ms = channel === 0 ? socket.reconnectAfterMs(tries) : socket.rejoinAfterMs(tries)
    })
    this.#after(Act.SetDelay, channel, Number(ms))
  }
}

/** A ref of the machine's. */
const refOf = (ref: number): string | null => (ref === 0 ? null : String(ref))

/** The ref of a channel's join; undefined, as in phoenix.js, before there is one. */
const joinRefOf = (ref: number, channel: Channel | undefined): string | null | undefined =>
  ref === 0 && !channel?.joinedOnce ? undefined : refOf(ref)

/** A ref for the machine, which knows strings and nothing else. */
const text = (ref: any): string | null => String(ref ?? "") || null

/** A reply's payload as JSON, whatever binary data is in it. */
const textOnly = (_key: string, value: any): any => (value instanceof ArrayBuffer ? null : value)
