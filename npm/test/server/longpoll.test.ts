// Long polling against the embedded server, by fetch: Node has no XMLHttpRequest.

import * as phoenix from "phoenix"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import * as ours from "../../src/index.js"
import { Server } from "../browser/support/server.ts"

let server: Server
const sockets: any[] = []

beforeEach(async () => {
  server = new Server()
  await server.start()
})

afterEach(async () => {
  for (const socket of sockets.splice(0)) {
    socket.disconnect()
  }
  await server.kill()
})

const eventually = { timeout: 15_000, interval: 10 }

/** Somebody in a room. */
const enter = async (lib: any, user: string, options: object) => {
  const closes: number[] = []
  const socket = new lib.Socket(server.socketUrl, {
    params: { user_id: user },
    reconnectAfterMs: () => 20,
    rejoinAfterMs: () => 20,
    ...options,
  })
  sockets.push(socket)
  socket.onClose((event: any) => closes.push(event.code))
  const channel = socket.channel("room:lobby")
  const presence = new lib.Presence(channel)
  const present = () => presence.list((key: string, { metas }: any) => `${key} ${metas.length}`).sort()
  socket.connect()
  await replied(channel.join())
  await expect.poll(present, eventually).toContain(`${user} 1`)
  return { socket, channel, present, closes }
}

const replied = (push: any): Promise<any> =>
  new Promise((resolve, reject) => {
    push
      .receive("ok", resolve)
      .receive("error", (reason: any) => reject(new Error(`refused: ${JSON.stringify(reason)}`)))
      .receive("timeout", () => reject(new Error("no reply")))
  })

describe.each([
  ["phoenix.js", phoenix],
  ["this package", ours],
])("%s over long polling", (_name, lib: any) => {
  const byPolling = { transport: lib.LongPoll }

  it("is in a room with somebody on a WebSocket", async () => {
    const alice = await enter(lib, "alice", { ...byPolling, authToken: "a token" })
    const bob = await enter(lib, "bob", { transport: WebSocket })
    await expect.poll(alice.present, eventually).toEqual(["alice 1", "bob 1"])
    await expect.poll(bob.present, eventually).toEqual(["alice 1", "bob 1"])
    expect(await replied(alice.channel.push("whoami", {}))).toMatchObject({ auth_token: "a token" })

    const shouts: any[] = []
    bob.channel.on("shout", (payload: any) => shouts.push(payload))
    alice.channel.push("shout_from", new Uint8Array([0, 10, 255]).buffer)
    await expect.poll(() => shouts.length, eventually).toBe(1)
    expect([...new Uint8Array(shouts[0])]).toEqual([0, 10, 255])

    await replied(alice.channel.leave())
    await expect.poll(bob.present, eventually).toEqual(["bob 1"])
  })

  it("sends more at once than a request may hold", async () => {
    const alice = await enter(lib, "alice", byPolling)
    const numbers = [...Array(250).keys()]
    const replies = numbers.map((number) => replied(alice.channel.push("echo", { number })))
    expect(await Promise.all(replies)).toEqual(numbers.map((number) => ({ number })))
  })

  it("opens a new session when the server ended the old one", async () => {
    const alice = await enter(lib, "alice", byPolling)
    alice.channel.push("disconnect_me", {})
    await expect.poll(() => alice.closes, eventually).toEqual([3410])
    await expect.poll(() => alice.channel.state, eventually).toBe("joined")
    await expect.poll(alice.present, eventually).toEqual(["alice 1"])
  })

  it("comes back when the server does", async () => {
    const alice = await enter(lib, "alice", byPolling)
    const bob = await enter(lib, "bob", { transport: WebSocket })
    await server.kill()
    await expect.poll(() => alice.channel.state, eventually).toBe("errored")
    bob.socket.disconnect()
    await server.start()
    await expect.poll(alice.present, eventually).toEqual(["alice 1"])
    expect(await replied(alice.channel.push("echo", { n: 1 }))).toEqual({ n: 1 })
  })

  it("is refused where the server refuses", async () => {
    const socket = new lib.Socket(server.socketUrl, {
      ...byPolling,
      params: { user_id: "alice", reject: 1 },
      reconnectAfterMs: () => 60_000,
    })
    sockets.push(socket)
    const heard: any[] = []
    socket.onError((error: any) => heard.push(error))
    socket.onClose(({ code, reason }: any) => heard.push(code, reason))
    socket.connect()
    await expect.poll(() => heard, eventually).toEqual([403, 1008, "forbidden"])
  })

  it("takes over from a transport that fails, and at once in the next socket", async () => {
    let tries = 0
    class Blocked {
      readyState = 0
      onerror?: (error: unknown) => void
      onclose?: (event: unknown) => void
      constructor() {
        tries++
        queueMicrotask(() => {
          this.readyState = 3
          this.onerror?.(new Error("blocked"))
          this.onclose?.({ code: 1006 })
        })
      }
      close() {}
    }
    const items = new Map<string, string>()
    const options = {
      transport: Blocked,
      longPollFallbackMs: 10_000,
      sessionStorage: {
        getItem: (key: string) => items.get(key) ?? null,
        setItem: (key: string, value: string) => items.set(key, value),
      },
    }
    const alice = await enter(lib, "alice", options)
    expect(alice.socket.conn).toBeInstanceOf(lib.LongPoll)
    const again = await enter(lib, "bob", options)
    expect(again.socket.conn).toBeInstanceOf(lib.LongPoll)
    expect([tries, ...items]).toEqual([1, ["phx:fallback:LongPoll", "true"]])
  })
})
