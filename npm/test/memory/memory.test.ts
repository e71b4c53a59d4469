// Nothing needs `free()`: what is dropped goes, in the JavaScript heap and in the wasm's memory.

import { expect, it } from "vitest"
import { asNumbers } from "../../src/engine.js"
import { Presence, Socket } from "../../src/index.js"

/** A transport that opens when it is told to, and answers all that is sent. */
class Answering {
  static last: Answering
  readyState = 1
  bufferedAmount = 0
  onopen: any
  onclose: any
  onerror: any
  onmessage: any
  constructor() {
    Answering.last = this
  }
  send(frame: string) {
    const [joinRef, ref, topic] = JSON.parse(frame)
    this.receive(joinRef, ref, topic, "phx_reply", { status: "ok", response: {} })
  }
  close() {
    this.readyState = 3
    this.onclose?.({ code: 1000 })
  }
  receive(...message: unknown[]) {
    this.onmessage({ data: JSON.stringify(message) })
  }
}

const open = () => {
  const socket = new Socket("ws://example.com/socket", { transport: Answering as any })
  socket.connect()
  Answering.last.onopen({})
  return socket
}

/** The collector runs finalisers in turns of their own. */
const collect = async () => {
  for (let turn = 0; turn < 10; turn++) {
    globalThis.gc!()
    await new Promise(setImmediate)
  }
}

const MIB = 2 ** 20

/** What is in use, in MiB: the heap, and the wasm's memory, which only ever grows. */
const inUse = async () => {
  await collect()
  return { heap: process.memoryUsage().heapUsed / MIB, wasm: asNumbers().byteLength / MIB }
}

/** Does `work` once to warm up, and then `times` more, which must leave nothing behind. */
const isFlat = async (work: (round: number) => void | Promise<void>, times: number) => {
  await work(0)
  await work(1)
  const before = await inUse()
  for (let round = 2; round < times + 2; round++) {
    await work(round)
  }
  const after = await inUse()
  console.log({ before, after })
  expect(after.heap - before.heap).toBeLessThan(4)
  expect(after.wasm - before.wasm).toBeLessThan(0.5)
}

const person = (ref: string) => ({ metas: [{ phx_ref: ref, online_at: 1700000000, status: "away" }] })

it("10,000 sockets with a channel and a presence each, made and dropped, leave nothing", async () => {
  expect(globalThis.gc, "run with --expose-gc").toBeDefined()
  await isFlat(async (round) => {
    for (let count = 0; count < 1000; count++) {
      const socket = open()
      const presence = new Presence(socket.channel(`room:${round}`))
      presence.onSync(() => presence.list())
      presence.subscribe(() => {})
      ;(presence.channel as any).join()
      Answering.last.receive(null, null, `room:${round}`, "presence_state", { ann: person("a") })
      expect(presence.size).toBe(1)
      socket.disconnect()
    }
    await collect()
  }, 10)
})

it("10,000 channels and presences of one socket, left, leave nothing", async () => {
  const socket = open()
  await isFlat((round) => {
    for (let count = 0; count < 1000; count++) {
      const channel = socket.channel(`room:${round}:${count}`)
      const presence = new Presence(channel)
      channel.join()
      channel.push("hello", {}).then(
        () => {},
        () => {},
      )
      Answering.last.receive(null, null, channel.topic, "presence_state", { ann: person("a") })
      expect(presence.list()).toHaveLength(1)
      channel.leave()
    }
    expect(socket.channels).toHaveLength(0)
  }, 10)
  socket.disconnect()
})

it("10,000 presences of one channel, destroyed, leave nothing", async () => {
  const socket = open()
  const channel = socket.channel("room:1")
  channel.join()
  await isFlat(() => {
    for (let count = 0; count < 1000; count++) {
      new Presence(channel).destroy()
    }
  }, 10)
  socket.disconnect()
})

it("an hour of comings and goings in a room of 2,000 leaves nothing", async () => {
  const socket = open()
  const channel = socket.channel("room:1")
  const presence = new Presence(channel)
  let heard = 0
  presence.onJoin(() => heard++)
  presence.onLeave(() => heard++)
  presence.subscribe((changes) => {
    heard += changes.length
  })
  channel.join()
  const refs = Array.from({ length: 2000 }, (_, index) => `ref-${index}`)
  const everybody = () => Object.fromEntries(refs.map((ref, index) => [`person-${index}`, person(ref)]))
  Answering.last.receive(null, null, "room:1", "presence_state", everybody())
  let next = 0
  // Ten a second, for 3,600 seconds: a tenth of it each round.
  await isFlat(() => {
    for (let count = 0; count < 3600; count++) {
      const index = (next * 7919) % refs.length
      const fresh = `ref-${refs.length + next++}`
      const leaves = { [`person-${index}`]: person(refs[index]) }
      Answering.last.receive(null, null, "room:1", "presence_diff", {
        joins: { [`person-${index}`]: person(fresh) },
        leaves,
      })
      refs[index] = fresh
      if (count % 100 === 0) {
        expect(presence.list()).toHaveLength(2000)
      }
    }
    Answering.last.receive(null, null, "room:1", "presence_state", everybody())
  }, 10)
  expect(presence.size).toBe(2000)
  expect(heard).toBeGreaterThan(36_000)
  socket.disconnect()
})
