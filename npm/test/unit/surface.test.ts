// What a socket shows and takes beside connections, channels and pushes, over both libraries.

import { reactive } from "@vue/reactivity"
import * as phoenix from "phoenix"
import { describe, expect, it, vi } from "vitest"
import * as ours from "../../src/index.js"
import { both, FakeTransport, join, reply, useFakeTimers } from "./both.js"

useFakeTimers()

it("calls what it is given as methods of what phoenix.js has them as methods of", () => {
  const log: unknown[] = []
  const note = (name: string, self: any) => log.push([name, typeof self?.channel, self?.base])
  const played = (lib: any) => {
    log.length = 0
    const options = {
      base: 20,
      transport: FakeTransport,
      reconnectAfterMs(tries: number) {
        note("reconnectAfterMs", this)
        return this.base * tries
      },
      rejoinAfterMs(tries: number) {
        note("rejoinAfterMs", this)
        return this.base * tries
      },
      params() {
        note("params", this)
        return {}
      },
      authToken() {
        note("authToken", this)
        return "token"
      },
      logger(kind: string) {
        note(kind, this)
      },
      encode(message: any, callback: any) {
        note("encode", this)
        callback(JSON.stringify([message.join_ref, message.ref, message.topic, message.event, {}]))
      },
      decode(_frame: any, callback: any) {
        note("decode", this)
        callback({ join_ref: null, ref: null, topic: "room:1", event: "phx_error", payload: {} })
      },
    }
    const socket = new lib.Socket("ws://example.com/socket", options)
    const server = () => FakeTransport.all.at(-1)!
    socket.channel("room:1", {}).join()
    socket.connect()
    server().open()
    server().receive()
    vi.advanceTimersByTime(20)
    server().lose()
    vi.advanceTimersByTime(20)
    const times = server().sent.length
    socket.disconnect()
    // How often is another matter: phoenix.js asks for the params once more to log where it has connected to.
    return { times, log: [...new Set(log.map((entry) => JSON.stringify(entry)))].sort() }
  }
  expect(played(ours)).toEqual(played(phoenix))
})

it("lets a program extend its classes, and calls what is overridden", () => {
  const played = (lib: any) => {
    FakeTransport.all = []
    const calls: string[] = []
    class Room extends lib.Channel {
      onMessage(event: string, payload: any) {
        calls.push(`onMessage ${event}`)
        return payload
      }
    }
    class Connection extends lib.Socket {
      channels: any[] = []
      channel(topic: string, params: object) {
        const room = new Room(topic, params, this)
        this.channels.push(room)
        return room
      }
      endPointURL() {
        return `${super.endPointURL()}&own=1`
      }
      remove(channel: any) {
        calls.push(`remove ${channel.topic}`)
        super.remove(channel)
      }
      log(kind: string) {
        calls.push(`log ${kind}`)
      }
    }
    const socket = new Connection("ws://example.com/socket", { transport: FakeTransport, logger: () => {} })
    const room = socket.channel("room:1", {})
    room.joinPush.payload = () => ({ n: calls.length > 0 })
    room.on("msg", () => calls.push("msg"))
    socket.connect()
    FakeTransport.all[0].open()
    room.join()
    FakeTransport.all[0].receive(null, null, "room:1", "msg", {})
    room.leave()
    return {
      // What happens at a close has another order among itself.
      calls: calls.sort(),
      channels: socket.channels,
      sent: FakeTransport.all[0].sent,
      url: FakeTransport.all[0].url,
    }
  }
  expect(played(ours)).toEqual(played(phoenix))
})

it("can be kept in what Vue and Alpine watch", () => {
  both((stage) => {
    const data = reactive<any>({})
    stage.socket.connect()
    stage.server().open()
    data.channel = stage.socket.channel("room:1", {})
    data.presence = new stage.lib.Presence(data.channel)
    data.presence.onSync(() => stage.log.push(data.presence.list((key: string) => key)))
    data.join = data.channel.join()
    data.join.receive("ok", stage.heard("ok"))
    reply(stage)
    const state = { ann: { metas: [{ phx_ref: "1" }] } }
    stage.server().receive(data.channel.joinRef(), null, "room:1", "presence_state", state)
    data.channel.leave()
    stage.log.push(data.channel.state)
  })
  const data = reactive<any>({})
  data.socket = new ours.Socket("ws://example.com/socket", { transport: FakeTransport as any })
  // phoenix.js's own does not open so.
  data.socket.connect()
  FakeTransport.all.at(-1)!.open()
  expect(data.socket.isConnected()).toBe(true)
  data.socket.disconnect()
})

describe("settings that are set later", () => {
  it("count from then on for a channel's pushes and rejoins", () => {
    both((stage) => {
      const channel = join(stage)
      reply(stage)
      channel.timeout = 100
      channel.push("slow", {}).receive("timeout", stage.heard("timeout"))
      stage.wait(100)
      stage.server().lose()
      stage.wait(10)
      stage.server().open()
      stage.wait(100)
      stage.log.push(channel.state, channel.timeout)
    })
  })

  it("count from the next heartbeat on", () => {
    both((stage) => {
      join(stage)
      stage.socket.heartbeatIntervalMs = 1000
      stage.wait(30_000)
      reply(stage)
      stage.wait(1000)
      stage.log.push(stage.server().sent.length, stage.socket.heartbeatIntervalMs)
      stage.wait(1000)
      stage.log.push(stage.socket.connectionState())
    })
  })
})

describe("the rest of the surface", () => {
  it.each([undefined, null, false, 0])("lists everybody by %s", (chooser) => {
    both(({ lib, log, socket }) => {
      const presence = new lib.Presence(socket.channel("room:1"), { events: chooser })
      const state = { ann: { metas: [{ phx_ref: "1" }] } }
      presence.channel.trigger("presence_state", state)
      log.push(presence.list(chooser), lib.Presence.list(state, chooser))
    })
  })

  it("pings", () => {
    both((stage) => {
      stage.log.push(stage.socket.ping(stage.heard("pong")))
      join(stage)
      reply(stage)
      stage.log.push(stage.socket.ping(stage.heard("pong")))
      stage.wait(7)
      reply(stage)
    })
  })

  it("sends what it is given", () => {
    both(({ socket, server }) => {
      socket.push({ topic: "t", event: "before", payload: { a: 1 }, ref: "x" })
      socket.connect()
      server().open()
      socket.push({ topic: "t", event: "after", payload: {}, ref: "y", join_ref: "z" })
    })
  })

  it("uses the user's encoder and decoder", () => {
    both(
      (stage) => {
        const channel = join(stage)
        reply(stage)
        channel.on("msg", stage.heard("msg"))
        stage.server().receive(null, null, "room:1", "msg", { n: 1 })
      },
      {
        encode: (message: any, callback: any) =>
          callback(
            JSON.stringify([
              message.join_ref,
              message.ref,
              message.topic,
              message.event,
              message.payload,
              "custom",
            ]),
          ),
        decode: (frame: any, callback: any) => {
          const [join_ref, ref, topic, event, payload] = JSON.parse(frame)
          callback({ join_ref, ref, topic, event, payload: { ...payload, custom: true } })
        },
      },
    )
  })

  it("logs", () => {
    both((stage) => {
      stage.socket.logger = (kind: string, message: string) =>
        stage.log.push(["log", kind, message.replace("FakeTransport", "T")])
      const channel = join(stage)
      reply(stage)
      stage.server().receive(channel.joinPush.ref, null, "room:1", "phx_error", {})
    })
  })

  it("tells of a message once the callbacks of its event are through, whatever they did", () => {
    const log = both((stage) => {
      const { lib, socket, log, server } = stage
      const channel = join(stage)
      reply(stage)
      const answer = (key: string) => {
        log.push(["before", key])
        channel.push("seen", { key })
        log.push(["after", key, server().sent.length])
      }
      channel.on("msg", ({ key }: any) => answer(key))
      new lib.Presence(channel).onJoin(answer)
      socket.onMessage(({ event }: any) => log.push(["message", event]))
      const people = (...keys: string[]) =>
        Object.fromEntries(keys.map((key) => [key, { metas: [{ phx_ref: key }] }]))
      server().receive(channel.joinRef(), null, "room:1", "msg", { key: "msg" })
      server().receive(channel.joinRef(), null, "room:1", "presence_state", people("ann", "bob"))
      server().receive(null, null, "room:1", "presence_diff", { joins: people("cid"), leaves: {} })
    })
    expect(log.filter(([what]: any) => what === "message")).toHaveLength(3)
  })

  it("is through with a call from within a callback before the other callbacks are called", () => {
    const log = both((stage) => {
      const { socket, heard, log, wait } = stage
      const [first, second] = [join(stage), join(stage, "room:2")]
      reply(stage)
      const call = (name: string, method: () => void) => {
        log.push(`${name} called`)
        method()
        log.push(`${name} returned`)
      }
      for (const push of [first.push("a", {}, 100), first.push("b", {}, 100)]) {
        push.receive("timeout", () => {
          heard("timed out")()
          call("leave", () => second.state !== "closed" && second.leave())
        })
      }
      wait(100)
      first.onError(() => call("push", () => first.push("c", {}, 100).receive("timeout", heard("c"))))
      socket.onClose(() => call("disconnect", () => socket.disconnect(heard("disconnected"))))
      socket.onClose(heard("also"))
      stage.server().lose()
      wait(1000)
    })
    expect(log).toContain("disconnect returned")
  })

  it("rejoins over the transport that a program chooses when it is told of an error", () => {
    const log = both((stage) => {
      const { socket, server } = stage
      join(stage)
      reply(stage)
      socket.onError(() => {
        socket.replaceTransport(FakeTransport)
        socket.connect()
      })
      server().lose()
      server().open()
      reply(stage)
    })
    expect(JSON.stringify(log)).toContain("connection_error")
  })
})
