// @vitest-environment jsdom
// Phoenix LiveView, from npm, on this package's Socket, against a scripted server.

import * as phoenix from "phoenix"
import { LiveSocket } from "phoenix_live_view"
import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { type Message, Serializer, Socket } from "../../src/index.js"

/** What is on the page, but for two numbers: how often it was clicked, and which file is being sent. */
const PAGE = [
  '<button id="more" phx-click="more">',
  `</button>
  <form id="form" phx-change="changed"><input id="name" name="name" value=""></form>
  <form id="files" phx-change="chosen">
    <input id="file" name="file" type="file" phx-hook="Phoenix.LiveFileUpload" data-phx-auto-upload
      data-phx-upload-ref="up" data-phx-done-refs="" data-phx-preflighted-refs="" data-phx-active-refs="`,
  `">
  </form>
  <a id="other" href="/other" data-phx-link="redirect" data-phx-link-state="push">other</a>`,
]

/**
 * A LiveView with a counter, as its server speaks: it renders at each join, counts clicks, and takes files in chunks of
 * ten bytes.
 */
class Counter {
  static all: Counter[] = []
  static heard: Message[] = []
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

  send(frame: string | ArrayBuffer) {
    const { join_ref, ref, topic, event, payload } = read(frame)
    Counter.heard.push({ join_ref, ref, topic, event, payload })
    const reply = (response: unknown) =>
      queueMicrotask(() => this.#tell([join_ref, ref, topic, "phx_reply", { status: "ok", response }]))
    if (event === "phx_join" && topic.startsWith("lvu:")) {
      reply({})
    } else if (event === "phx_join") {
      Counter.joins++
      this.#join = [join_ref, topic]
      reply({
        rendered: { 0: String(Counter.count), 1: "", s: PAGE },
        liveview_version: "1.2.12",
      })
    } else if (event === "allow_upload") {
      const config = { chunk_size: 10, max_file_size: 100, max_entries: 1, chunk_timeout: 1000 }
      const entries = Object.fromEntries(payload.entries.map(({ ref }: any) => [ref, "token"]))
      reply({ ref: payload.ref, config, entries, errors: {} })
    } else if (event === "event") {
      Counter.count += payload.event === "more" ? 1 : 0
      reply({ diff: { 0: String(Counter.count), 1: payload.uploads?.up?.[0].ref ?? "" } })
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

const read = (frame: string | ArrayBuffer): Message => {
  if (typeof frame === "string") {
    return Serializer.decode(frame, (message) => message) as any
  }
  // A push's: the sizes of join_ref, ref, topic and event, these, and then the data.
  const [, ...bytes] = new Uint8Array(frame)
  const sizes = bytes.splice(0, 4)
  const next = (size = bytes.length) => String.fromCharCode(...bytes.splice(0, size))
  const [join_ref, ref, topic, event] = sizes.map((size) => next(size))
  const payload = next()
  return { join_ref, ref, topic, event, payload }
}

window.scroll = () => {}
// jsdom lacks this one too; the ids here need no escaping.
globalThis.CSS ??= { escape: (text: string) => text } as typeof CSS

const transport = Counter as unknown as typeof WebSocket
let liveSocket: any

/** What live sockets listen to, which they would go on listening to. */
const listening: Parameters<typeof window.removeEventListener>[] = []
const addEventListener = window.addEventListener

const start = (SocketClass: any) => {
  Object.assign(Counter, { all: [], heard: [], joins: 0, count: 0 })
  sessionStorage.setItem("phx:live-socket:debug", "false")
  document.head.innerHTML = '<meta name="csrf-token" content="token">'
  document.body.innerHTML = `<div id="phx-1" data-phx-main data-phx-session="session" data-phx-static="static">${PAGE[0]}0${PAGE[1]}${PAGE[2]}</div>`
  history.replaceState({}, "", "/")
  window.addEventListener = (...listener: any) => {
    listening.push(listener)
    addEventListener.apply(window, listener)
  }
  liveSocket = new LiveSocket("/live", SocketClass, {
    transport,
    params: { _csrf_token: "token" },
    reconnectAfterMs: () => 5,
    rejoinAfterMs: () => 5,
  } as any)
  liveSocket.connect()
  window.addEventListener = addEventListener
}

const stop = () => {
  liveSocket.disconnect()
  for (const listener of listening.splice(0)) {
    window.removeEventListener(...listener)
  }
}

beforeEach(() => start(Socket))
afterEach(stop)

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

/** All that a page does; what the server hears of it. */
const program = async () => {
  await joined(1)
  await click("1")
  const name = document.getElementById("name") as HTMLInputElement
  name.value = "typed"
  name.dispatchEvent(new Event("input", { bubbles: true }))
  await heard("event", 2)
  const input = document.getElementById("file") as HTMLInputElement
  const file = new File(["0123456789abcdefghijXYZ"], "a.txt", { type: "text/plain", lastModified: 1 })
  Object.defineProperty(input, "files", { value: [file], configurable: true })
  input.dispatchEvent(new Event("input", { bubbles: true }))
  await heard("progress", 3)

  Counter.all[0].lose()
  // What was in the forms is sent once more.
  await heard("event", 5)
  await joined(2)

  document.getElementById("other")!.click()
  await until(() => expect(location.pathname).toBe("/other"))
  await until(() => expect(Counter.joins).toBe(3))
  await until(() => expect(document.querySelector("[data-phx-main].phx-connected")).not.toBeNull())
  await click("2")
  // Live views and files are counted, or named at random, for all that is on the page.
  return JSON.stringify(Counter.heard, null, 1)
    .replaceAll(/lvu?:[^"]*|"(entry_)?ref": "\d"/g, "…")
    .split("\n")
}

const heard = (event: string, times: number) =>
  until(() => expect(Counter.heard.filter((message) => message.event === event)).toHaveLength(times))

it("sends what it sends over phoenix.js: clicks, forms, files, and from page to page", async () => {
  const mine = await program()
  stop()
  start(phoenix.Socket)
  const theirs = await program()
  expect(mine).toEqual(theirs)
  const chunks = Counter.heard.filter(({ event }) => event === "chunk")
  expect(chunks.map(({ payload }) => payload)).toEqual(["0123456789", "abcdefghij", "XYZ"])
})
