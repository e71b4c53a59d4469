// Loading the wasm of the entry that has none in it.

import { readFileSync } from "node:fs"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"

const bytes = new Uint8Array(readFileSync("wasm/presence_wasm_bg.wasm"))
const URL_OF_IT = "https://example.com/presence.wasm"

let slim: typeof import("../../src/slim.js")
let fetched: string[]
let answer: () => Response

const served = (type: string, body: BodyInit = bytes, status = 200): Response =>
  new Response(body, { status, headers: { "content-type": type } })

beforeEach(async () => {
  vi.resetModules()
  slim = await import("../../src/slim.js")
  fetched = []
  answer = () => served("application/wasm")
  vi.stubGlobal("fetch", async (what: string | Request) => {
    fetched.push(typeof what === "string" ? what : what.url)
    return answer()
  })
})
afterEach(() => void vi.unstubAllGlobals())

const works = (): boolean => slim.Presence.list(slim.Presence.syncState({}, {})).length === 0

describe("init", () => {
  it.each<[string, () => Parameters<typeof slim.init>[0]]>([
    ["a URL's text", () => URL_OF_IT],
    ["a URL", () => new URL(URL_OF_IT)],
    ["a request", () => new Request(URL_OF_IT)],
    ["a response", () => answer()],
    ["a promise of a response", () => fetch(URL_OF_IT)],
    ["bytes", () => bytes],
    ["a module", () => new WebAssembly.Module(bytes)],
  ])("takes %s", async (_name, source) => {
    await slim.init(source())
    expect(works()).toBe(true)
  })

  it("takes what is not served as wasm, too", async () => {
    answer = () => served("application/octet-stream")
    await slim.init(URL_OF_IT)
    expect(works()).toBe(true)
  })

  it("loads once, however often it is called", async () => {
    await Promise.all([slim.init(URL_OF_IT), slim.init(URL_OF_IT)])
    await slim.init()
    expect(fetched).toEqual([URL_OF_IT])
  })

  it.each([
    ["nothing there", () => served("text/plain", "no", 404), "HTTP 404."],
    ["the application's page", () => served("text/html; charset=utf-8", "<html>"), "HTTP 200, text/html."],
  ])("says what is wrong where there is %s, and can be called anew", async (_name, wrong, words) => {
    answer = wrong
    await expect(slim.init(URL_OF_IT)).rejects.toThrow(`from ${URL_OF_IT}: ${words} Give init() the URL`)
    expect(works).toThrow("await init() first")
    answer = () => served("application/wasm")
    await slim.init(URL_OF_IT)
    expect(works()).toBe(true)
  })
})
