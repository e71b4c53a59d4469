// @vitest-environment jsdom
// Phoenix LiveView, from npm, on this package's Socket, against a scripted server.

import { LiveSocket } from "phoenix_live_view"
import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { Socket } from "../../src/index.js"

/** A LiveView with a counter, as its server speaks: it renders at each join, and counts clicks. */
class Counter {
  static all: Counter[] = []
  static joins = 0
  static count = 0
  readyState = 0
  bufferedAmount = 0
  onopen: any
  onclose: any
  onerror: any
  onmessage: any
  #join: [string, string] | undefined

  constructor(readonly url: string) {
    Counter.all.push(this)
    queueMicrotask(() => {
      this.readyState = 1
      this.onopen({})
    })
  }

  send(frame: string) {
    const [joinRef, ref, topic, event, payload] = JSON.parse(frame)
    const reply = (response: unknown) =>
      queueMicrotask(() => this.#tell([joinRef, ref, topic, "phx_reply", { status: "ok", response }]))
    if (event === "phx_join") {
      Counter.joins++
      this.#join = [joinRef, topic]
      reply({
        rendered: { 0: String(Counter.count), s: ['<button id="more" phx-click="more">', "</button>"] },
        liveview_version: "1.2.12",
      })
    } else if (event === "event") {
      Counter.count += payload.event === "more" ? 1 : 0
      reply({ diff: { 0: String(Counter.count) } })
    } else {
      reply({})
    }
  }

  crash() {
    const [joinRef, topic] = this.#join!
    this.#tell([joinRef, joinRef, topic, "phx_error", { reason: "channel_crash" }])
  }

  lose() {
    this.readyState = 3
    this.onerror?.({ type: "error" })
    this.onclose?.({ code: 1006, wasClean: false })
  }

  close() {
    this.readyState = 3
    this.onclose?.({ code: 1000, wasClean: true })
  }

  #tell(message: unknown[]) {
    this.onmessage?.({ data: JSON.stringify(message) })
  }
}

// jsdom lacks this one; the ids here need no escaping.
globalThis.CSS ??= { escape: (text: string) => text } as typeof CSS

const transport = Counter as unknown as typeof WebSocket
let liveSocket: any

beforeEach(() => {
  Object.assign(Counter, { all: [], joins: 0, count: 0 })
  document.head.innerHTML = '<meta name="csrf-token" content="token">'
  document.body.innerHTML =
    '<div id="phx-1" data-phx-main data-phx-session="session" data-phx-static="static"><button id="more" phx-click="more">0</button></div>'
  liveSocket = new LiveSocket(
    "/live",
    Socket as any,
    {
      transport,
      params: { _csrf_token: "token" },
      reconnectAfterMs: () => 5,
      rejoinAfterMs: () => 5,
    } as any,
  )
  liveSocket.connect()
})
afterEach(() => {
  liveSocket.disconnect()
})

const button = () => document.getElementById("more")!
const view = () => document.getElementById("phx-1")!
const until = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 5 })

const joined = (times: number) =>
  until(() => {
    expect(Counter.joins).toBe(times)
    expect(view().classList.contains("phx-connected")).toBe(true)
  })

const click = async (expected: string) => {
  button().dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }))
  await until(() => expect(button().textContent).toBe(expected))
}

it("joins and pushes", async () => {
  await joined(1)
  expect(Counter.all[0].url).toContain("/live/websocket?")
  expect(Counter.all[0].url).toContain("_csrf_token=token")
  await click("1")
  await click("2")
})

it("survives a crash of the view", async () => {
  await joined(1)
  await click("1")
  Counter.all[0].crash()
  await joined(2)
  expect(Counter.all).toHaveLength(1)
  expect(button().textContent).toBe("1")
  await click("2")
})

it("survives the loss of its connection", async () => {
  await joined(1)
  await click("1")
  Counter.all[0].lose()
  expect(view().classList.contains("phx-connected")).toBe(false)
  await joined(2)
  expect(Counter.all).toHaveLength(2)
  await click("2")
})
