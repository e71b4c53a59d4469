// join(), push() and leave() as promises.

import { expect, it, vi } from "vitest"
import { PushError, type Socket } from "../../src/index.js"
import { useFakeTimers } from "./both.js"
import { connected, reply, room, server } from "./room.js"

useFakeTimers()

it("resolves with the response of ok", async () => {
  const { channel } = room()
  const push = channel.push<{ id: number }>("new", {})
  const both = Promise.all([push, push.then(({ id }) => id + 1)])
  reply("ok", { id: 7 })
  expect(await both).toEqual([{ id: 7 }, 8])
  expect(await push).toEqual({ id: 7 })
})

it("rejects with the status and the response of anything else", async () => {
  const { channel } = room()
  const push = channel.push("new", {})
  reply("error", { reason: "too long" })
  const error = await push.catch((error) => error)
  expect(error).toBeInstanceOf(PushError)
  expect(error).toMatchObject({
    status: "error",
    response: { reason: "too long" },
    event: "new",
    topic: "room:1",
  })
  expect(error.message).toBe("new to room:1: error (too long)")
  const odd = channel.push("new", {})
  reply("later", { at: 3 })
  await expect(odd).rejects.toMatchObject({ status: "later", response: { at: 3 } })
})

it("rejects when the time is up", async () => {
  const { channel } = room()
  const pushed = expect(channel.push("new", {}, 50)).rejects.toMatchObject({
    status: "timeout",
    response: {},
  })
  vi.advanceTimersByTime(50)
  await pushed
})

it("rejects as soon as the connection is lost, while receive still gets its timeout", async () => {
  const { channel } = room()
  const heard = vi.fn()
  const push = channel.push("new", {}, 50).receive("timeout", heard)
  const pushed = expect(push).rejects.toMatchObject({ status: "disconnected" })
  server().lose()
  await pushed
  await expect(push).rejects.toMatchObject({ status: "disconnected" })
  expect(heard).not.toHaveBeenCalled()
  vi.advanceTimersByTime(50)
  expect(heard).toHaveBeenCalledOnce()
})

it("rejects at once on a channel that was left, while receive still gets its timeout", async () => {
  const { channel } = room()
  channel.leave()
  const heard = vi.fn()
  const push = channel.push("new", {}, 50).receive("timeout", heard)
  await expect(push).rejects.toMatchObject({ status: "disconnected" })
  vi.advanceTimersByTime(50)
  expect(heard).toHaveBeenCalledOnce()
})

it("rejects a join that is refused, and one whose channel is left before its answer", async () => {
  const socket = connected()
  const refused = socket.channel("room:1").join()
  reply("error", { reason: "unauthorized" })
  await expect(refused).rejects.toMatchObject({ status: "error", response: { reason: "unauthorized" } })
  const channel = socket.channel("room:2")
  const left = expect(channel.join()).rejects.toMatchObject({ status: "disconnected" })
  channel.leave()
  await left
})

it.each<[string, (socket: Socket) => void]>([
  ["disconnects", (socket) => socket.disconnect()],
  ["gives up", () => server().lose(1008)],
])("rejects a join when the socket %s, and tells of it once connected anew", async (_what, end) => {
  const socket = connected({ stopOnRefusal: true })
  const join = socket.channel("room:1").join()
  const lost = expect(join).rejects.toMatchObject({ status: "disconnected" })
  end(socket)
  await lost
  socket.connect()
  server().open()
  const joined = expect(join).resolves.toEqual({ room: 1 })
  reply("ok", { room: 1 })
  await joined
})

it("tells of the next outcome of a join, or of the latest", async () => {
  const socket = connected()
  const join = socket.channel("room:1").join()
  reply("error", { reason: "full" })
  await expect(join).rejects.toMatchObject({ status: "error" })
  vi.advanceTimersByTime(1000)
  reply("ok", { room: 1 })
  expect(await join).toEqual({ room: 1 })
})

it("resolves a leave", async () => {
  const { channel } = room()
  const leave = channel.leave()
  reply("ok", {}, "phx_leave")
  expect(await leave).toEqual({})
  // Nothing to wait for.
  expect(await channel.leave()).toEqual({})
})

it("rejects nothing that nobody awaits", async () => {
  const unhandled = vi.fn()
  process.on("unhandledRejection", unhandled)
  const { channel } = room()
  channel.push("new", {}).receive("error", () => {})
  reply("error", {})
  channel.push("new", {}, 10)
  server().lose()
  vi.advanceTimersByTime(20)
  vi.useRealTimers()
  // Rejections are told of before the next turn of the loop.
  await new Promise(setImmediate)
  process.off("unhandledRejection", unhandled)
  expect(unhandled).not.toHaveBeenCalled()
})

it("rejects a join at a disconnect whose close code browsers refuse, which is the caller's error", async () => {
  const socket = connected()
  const join = socket.channel("room:2").join()
  server().close = () => {
    throw new DOMException(
      "The close code must be either 1000 or between 3000 and 4999",
      "InvalidAccessError",
    )
  }
  expect(() => socket.disconnect(undefined, 1001)).toThrow(/close code/)
  await expect(join).rejects.toMatchObject({ status: "disconnected" })
})
