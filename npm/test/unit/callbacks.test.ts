// Whatever user code does where the package calls it, the package goes on: the other listeners run, what was thrown is
// reported, the roster is the server's, and a push is answered.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { type Channel, Presence, Serializer, Socket } from "../../src/index.js"
import { useFakeTimers } from "./both.js"
import { ScriptedServer } from "./scripted.js"

useFakeTimers()

const ROOM = "room:1"

/** A room with two people, joined, and all that happens to it. */
class World {
  readonly server = new ScriptedServer()
  readonly socket: Socket
  channel: Channel
  presences: Presence[] = []
  presence: Presence
  /** What ran beside the callback that acts. */
  witnessed = 0
  readonly witness = (payload?: any): any => {
    this.witnessed++
    return payload
  }

  constructor(options: object) {
    this.server.enter(ROOM, "ann")
    this.server.enter(ROOM, "bob")
    this.socket = new Socket("ws://example.com/socket", { transport: this.server.transport, ...options })
    this.channel = this.socket.channel(ROOM)
    this.presence = this.follow()
  }

  follow(): Presence {
    const presence = new Presence(this.channel)
    this.presences.push(presence)
    return presence
  }

  destroy(presence: Presence): void {
    presence.destroy()
    this.presences = this.presences.filter((other) => other !== presence)
  }

  enter(): void {
    this.socket.connect()
    this.channel.join()
    pass()
  }

  /** Takes up again what the callback ended. */
  resume(): void {
    pass()
    this.socket.connect()
    pass()
    if (this.channel.state === "closed") {
      this.channel = this.socket.channel(ROOM)
      this.presences = []
      this.channel.join()
    }
    if (this.presences.length === 0) {
      this.follow()
    }
    // Those who began to follow after the join get the state of the next.
    this.server.lose()
    pass()
  }
}

/** Longer than a push waits for its reply. */
const pass = (ms = 15_000): void => void vi.advanceTimersByTime(ms)

/** Where user code runs. */
interface Place {
  options?: (act: () => void) => object
  /** Puts the callback in its place, and beside it another, the witness, where there is room. */
  install?: (world: World, act: () => void) => undefined | (() => void)
  fire: (world: World) => void
  /** The actions after which the witness need not run; "all" where there is none. */
  alone?: string[] | "all"
}

const someoneCame = ({ server }: World) => server.enter(ROOM, "carol")
const someoneLeft = ({ server }: World) => server.leave(ROOM, "bob")
const someoneChanged = ({ server }: World) => server.update(ROOM, "bob")
const lost = ({ server }: World) => server.lose()
const message = ({ server }: World) => server.broadcast(ROOM, "msg", { n: 1 })

const ofPush = (event: string, status: string): Place => ({
  install({ channel, witness }, act) {
    channel.push(event).receive(status, act).receive(status, witness)
    return undefined
  },
  fire: () => {},
})

const ofSocket = (kind: "onOpen" | "onClose" | "onError" | "onMessage", fire: Place["fire"]): Place => ({
  install({ socket, witness }, act) {
    const ref = socket[kind](act)
    socket[kind](witness)
    return () => socket.off([ref])
  },
  fire,
})

const OFF = "takes everything off"
const DESTROYS = "destroys the Presence"
/** What nobody is answered after. */
const CUTS = [
  "disconnects",
  "disconnects and connects",
  "replaces the transport",
  "hears the loss of its connection",
]

const places: Record<string, Place> = {
  "presence.onJoin": {
    install({ presence, witness }, act) {
      presence.onJoin(act)
      presence.onSync(witness)
      return () => presence.onJoin(() => {})
    },
    fire: someoneCame,
    alone: [DESTROYS],
  },
  "presence.onLeave": {
    install({ presence, witness }, act) {
      presence.onLeave(act)
      presence.onSync(witness)
      return () => presence.onLeave(() => {})
    },
    fire: someoneLeft,
    alone: [DESTROYS],
  },
  "presence.onUpdate": {
    install({ presence, witness }, act) {
      presence.onUpdate(act)
      presence.onSync(witness)
      return () => presence.onUpdate(() => {})
    },
    fire: someoneChanged,
    alone: [DESTROYS],
  },
  "presence.onSync": {
    install({ presence, witness }, act) {
      presence.onSync(act)
      presence.subscribe(witness)
      return () => presence.onSync(() => {})
    },
    fire: someoneChanged,
    alone: [DESTROYS],
  },
  "presence.subscribe": {
    install({ presence, witness }, act) {
      const end = presence.subscribe(act)
      presence.subscribe(witness)
      return end
    },
    fire: someoneCame,
    alone: [DESTROYS],
  },
  "presence.onStatus": {
    install({ presence, witness }, act) {
      const end = presence.onStatus(act)
      presence.onStatus(witness)
      return end
    },
    fire: lost,
    alone: [DESTROYS],
  },
  "channel.on": {
    install({ channel, witness }, act) {
      const ref = channel.on("msg", act)
      channel.on("msg", witness)
      return () => channel.off("msg", ref)
    },
    fire: message,
  },
  "channel.on of a presence's event": {
    install({ channel, witness }, act) {
      const ref = channel.on("presence_diff", act)
      channel.on("presence_diff", witness)
      return () => channel.off("presence_diff", ref)
    },
    fire: someoneCame,
  },
  "channel.onMessage for a message": {
    install({ channel, witness }, act) {
      channel.onMessage = (event, payload) => {
        if (event === "msg") act()
        return payload
      }
      channel.on("msg", witness)
      return () => {
        channel.onMessage = (_event, payload) => payload
      }
    },
    fire: message,
    alone: [OFF],
  },
  "channel.onMessage for a diff": {
    install({ channel, presence, witness }, act) {
      channel.onMessage = (event, payload) => {
        if (event === "presence_diff") act()
        return payload
      }
      presence.onSync(witness)
      return undefined
    },
    fire: someoneCame,
    alone: [DESTROYS, "leaves", "joins the same topic again"],
  },
  "channel.onMessage for a reply": {
    install({ channel, witness }, act) {
      channel.onMessage = (event, payload) => {
        if (event === "phx_reply") act()
        return payload
      }
      channel.push("ask").receive("ok", witness)
      return undefined
    },
    fire: () => {},
  },
  "channel.onMessage for a crash": {
    install({ channel, witness }, act) {
      channel.onMessage = (event, payload) => {
        if (event === "phx_error") act()
        return payload
      }
      channel.onError(witness)
      return undefined
    },
    fire: ({ server }) => server.crash(ROOM),
    alone: [OFF],
  },
  "channel.onMessage for a lost connection": {
    install({ channel, witness }, act) {
      channel.onMessage = (event, payload) => {
        if (event === "phx_error") act()
        return payload
      }
      channel.onError(witness)
      return undefined
    },
    fire: lost,
    alone: [OFF],
  },
  "channel.onMessage for a leave": {
    install({ channel, witness }, act) {
      channel.onMessage = (event, payload) => {
        if (event === "phx_close") act()
        return payload
      }
      channel.onClose(witness)
      return undefined
    },
    fire: ({ channel }) => void channel.leave(),
    alone: [OFF],
  },
  "channel.onMessage for a timeout": {
    install({ channel, witness }, act) {
      channel.onMessage = (_event, payload) => {
        if (payload.status === "timeout") act()
        return payload
      }
      channel.push("ignore").receive("timeout", witness)
      return undefined
    },
    fire: () => {},
  },
  "channel.onClose": {
    install({ channel, witness }, act) {
      channel.onClose(act)
      channel.onClose(witness)
      return () => channel.off("phx_close")
    },
    fire: ({ server }) => server.close(ROOM),
  },
  "channel.onClose of one that is left": {
    install({ channel, witness }, act) {
      channel.onClose(act)
      channel.onClose(witness)
      return undefined
    },
    fire: ({ channel }) => void channel.leave(),
  },
  "channel.onError": {
    install({ channel, witness }, act) {
      const ref = channel.onError(act)
      channel.onError(witness)
      return () => channel.off("phx_error", ref)
    },
    fire: ({ server }) => server.crash(ROOM),
  },
  "channel.onError of a lost connection": {
    install({ channel, witness }, act) {
      channel.onError(act)
      channel.onError(witness)
      return undefined
    },
    fire: lost,
  },
  "channel's params": {
    install({ channel }, act) {
      channel.params = () => {
        act()
        return {}
      }
      channel.joinPush.payload = channel.params
      return undefined
    },
    fire: lost,
    alone: "all",
  },
  "join.receive ok": {
    install({ socket, witness }, act) {
      socket.channel("room:2").join().receive("ok", act).receive("ok", witness)
      return undefined
    },
    fire: () => {},
  },
  "join.receive error": {
    install({ socket, witness }, act) {
      const channel = socket.channel("forbidden")
      channel.join().receive("error", act).receive("error", witness)
      // It would be tried again and again.
      channel.joinPush.receive("error", () => channel.leave())
      return undefined
    },
    fire: () => {},
  },
  "push.receive ok": ofPush("ask", "ok"),
  "push.receive error": ofPush("refuse", "error"),
  "push.receive timeout": ofPush("ignore", "timeout"),
  "socket.onOpen": ofSocket("onOpen", lost),
  "socket.onClose": ofSocket("onClose", lost),
  "socket.onError": ofSocket("onError", lost),
  "socket.onMessage": ofSocket("onMessage", message),
  "socket.onRefusal": {
    options: () => ({ stopOnRefusal: true }),
    install({ socket, witness }, act) {
      const ref = socket.onRefusal(act)
      socket.onRefusal(witness)
      return () => socket.off([ref])
    },
    fire: ({ server }) => server.lose(1008),
  },
  "socket.ping": {
    install({ socket, witness }, act) {
      socket.ping(act)
      socket.ping(witness)
      return undefined
    },
    fire: () => {},
    alone: CUTS,
  },
  "socket.disconnect's callback": {
    install({ socket, witness }, act) {
      socket.disconnect(act)
      socket.disconnect(witness)
      return undefined
    },
    fire: () => {},
  },
  params: {
    options: (act) => ({
      params: () => {
        act()
        return {}
      },
    }),
    fire: lost,
    alone: "all",
  },
  authToken: {
    options: (act) => ({
      authToken: () => {
        act()
        return "token"
      },
    }),
    fire: lost,
    alone: "all",
  },
  reconnectAfterMs: {
    options: (act) => ({
      reconnectAfterMs: () => {
        act()
        return 10
      },
    }),
    fire: lost,
    alone: "all",
  },
  rejoinAfterMs: {
    options: (act) => ({
      rejoinAfterMs: () => {
        act()
        return 10
      },
    }),
    fire: ({ server }) => server.crash(ROOM),
    alone: "all",
  },
  logger: {
    options: (act) => ({ logger: act }),
    install({ channel, witness }) {
      channel.push("ask").receive("ok", witness)
      return undefined
    },
    fire: () => {},
    alone: [...CUTS, "leaves", "joins the same topic again"],
  },
  "encode, before its callback": {
    options: (act) => ({
      encode: (sent: any, callback: any) => {
        act()
        return Serializer.encode(sent, callback)
      },
    }),
    fire: lost,
    alone: "all",
  },
  "encode, after its callback": {
    options: (act) => ({
      encode: (sent: any, callback: any) => {
        Serializer.encode(sent, callback)
        act()
      },
    }),
    fire: lost,
    alone: "all",
  },
  "decode, before its callback": {
    options: (act) => ({
      decode: (frame: any, callback: any) => {
        act()
        return Serializer.decode(frame, callback)
      },
    }),
    fire: message,
    alone: "all",
  },
  "decode, after its callback": {
    options: (act) => ({
      decode: (frame: any, callback: any) => {
        Serializer.decode(frame, callback)
        act()
      },
    }),
    install({ channel, witness }) {
      channel.on("msg", witness)
      return undefined
    },
    fire: message,
  },
}
const THROWN = new Error("a listener's")

/** What user code does there. */
const actions: Record<string, (world: World, off: (() => void) | undefined) => void> = {
  throws: () => {
    throw THROWN
  },
  pushes: ({ channel }) => void channel.push("from inside"),
  "pushes raw": ({ socket }) =>
    socket.push({ join_ref: null, ref: "raw", topic: ROOM, event: "raw", payload: {} }),
  leaves: ({ channel }) => void channel.leave(),
  disconnects: ({ socket }) => socket.disconnect(),
  connects: ({ socket }) => socket.connect(),
  "disconnects and connects": ({ socket }) => {
    socket.disconnect()
    socket.connect()
  },
  "replaces the transport": ({ socket, server }) => socket.replaceTransport(server.transport),
  "makes a Presence": (world) => void world.follow(),
  [DESTROYS]: (world) => world.destroy(world.presence),
  "joins another channel": ({ socket }) => void socket.channel("room:2").join(),
  "joins the same topic again": (world) => {
    world.channel = world.socket.channel(ROOM)
    world.presences = [new Presence(world.channel)]
    world.channel.join()
  },
  [OFF]: ({ channel }) => {
    for (const event of ["msg", "phx_error", "phx_close"]) {
      channel.off(event)
    }
  },
  "lists and looks": ({ presence }) => {
    presence.list((key) => presence.get(key))
    return void [presence.state, presence.getSnapshot(), presence.size, presence.status]
  },
  "hears the loss of its connection": ({ server }) => server.lose(),
  "takes itself off": (_world, off) => off?.(),
}

const reported: unknown[] = []
beforeEach(() => {
  reported.length = 0
  vi.stubGlobal("reportError", (error: unknown) => reported.push(error))
})
afterEach(() => {
  vi.unstubAllGlobals()
})

describe.each(Object.entries(places))(
  "a callback of %s",
  (_place, { options, install, fire, alone = [] }) => {
    it.each(Object.entries(actions))("that %s", (action, act) => {
      let due = false
      let done = 0
      let off: undefined | (() => void)
      const once = () => {
        if (due) {
          due = false
          done++
          act(world, off)
        }
      }
      const world = new World(options?.(once) ?? {})
      world.enter()
      due = true
      off = install?.(world, once)
      fire(world)
      pass()
      expect(done).toBe(1)
      if (alone !== "all" && !alone.includes(action)) {
        expect(world.witnessed).toBeGreaterThan(0)
      }
      expect(reported).toEqual(action === "throws" ? [THROWN] : [])

      world.resume()
      world.server.enter(ROOM, "zoe")
      world.server.leave(ROOM, "ann")
      pass()
      for (const presence of world.presences) {
        expect(presence.status).toBe("synced")
        expect({ ...presence.state }).toEqual(world.server.roster(ROOM))
      }
      const answered = vi.fn()
      world.channel.push("ask", { n: 1 }).receive("ok", answered)
      pass()
      expect(answered).toHaveBeenCalledExactlyOnceWith({ n: 1 })
      expect(reported).toHaveLength(action === "throws" ? 1 : 0)
      world.socket.disconnect()
      pass()
      expect(vi.getTimerCount()).toBe(0)
    })
  },
)
