// Every program that the README shows in JavaScript: run as it stands there, and held to what it should say.

import { execFileSync } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { transformSync } from "esbuild"
import { afterAll, describe, expect, it } from "vitest"
import { Crowd } from "../browser/support/crowd.ts"
import { type Scene, scenario, withBrowser } from "../browser/support/scenario.ts"
import type { Visitor } from "../browser/support/visitor.ts"
import { program, programs } from "./programs.ts"

const NPM = fileURLToPath(new URL("../..", import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "presence-readme-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const FIRST = program("## In JavaScript")
const BARE = program("### Without WebAssembly")
const ROOM = program("### In React")
const CHANGES = program("**Changes**")
const DRAW = program("**A roster to draw from.**")
const AWAIT = program("can be awaited.**")
const END = program("**An end.**")
const OPTIONS = program("**Options**")
const SLIM = program("**The wasm apart**")
const SERVER = program("**On a server**")

it("runs every program that there is", () => {
  const run = [FIRST, BARE, ROOM, CHANGES, DRAW, AWAIT, END, OPTIONS, SLIM, SERVER]
  expect(new Set(run)).toEqual(new Set(programs))
  expect(run).toHaveLength(programs.length)
})

/** What programs without imports of their own go on from. */
const GIVEN = `
  import { Presence, Socket } from "phoenix-presence";
  const socket = new Socket("/socket", { params: { user_id: "alice" } });
  const channel = socket.channel("room:lobby", {});
  const presence = new Presence(channel);
  socket.connect();
`

/** No bundler at all: the built entries, an import map, and the program. */
function readmeScenario(
  name: string,
  code: string,
  run: (scene: Scene, alice: Visitor) => Promise<void>,
): void {
  const page = join(folder, name.replaceAll(/\W+/g, "-"))
  const whole = /^import /m.test(code) ? code : GIVEN + code
  // What a test goes on with.
  const shared = /\bsocket = /.test(whole) ? "Object.assign(globalThis, { socket, channel })" : ""
  const imports = { "phoenix-presence": "/index.mjs", "phoenix-presence/slim": "/slim.mjs" }
  mkdirSync(page)
  for (const file of ["index.mjs", "slim.mjs", "presence.wasm"]) {
    copyFileSync(join(NPM, "dist", file), join(page, file))
  }
  writeFileSync(join(page, "me"), `{ "user_id": "ann" }`)
  writeFileSync(join(page, "token"), "secret")
  writeFileSync(
    join(page, "index.html"),
    `<!doctype html><title>readme</title><link rel="icon" href="data:,">
    <script type="importmap">${JSON.stringify({ imports })}</script>
    <script type="module">${whole}${shared}</script>`,
  )
  scenario(
    name,
    async (scene) => run(scene, await scene.enter("alice")),
    () => page,
  )
}

/** What it logged, without Chromium's own words on connections that fail. */
const said = ({ console }: Visitor): string[] =>
  console.filter((line) => line.startsWith("log: ")).map((line) => line.slice("log: ".length))

/** Pushes `event` over a channel of the page's: its own, or that of `topic`, to be joined. */
const push = ({ page }: Visitor, event: string, payload: object, topic?: string): Promise<any> =>
  page.evaluate(
    async ([event, payload, topic]) => {
      const { socket, channel } = globalThis as any
      const used = topic === undefined ? channel : socket.channel(topic)
      if (topic !== undefined) await used.join()
      return await used.push(event, payload)
    },
    [event, payload, topic] as const,
  )

describe("in a browser", () => {
  withBrowser()

  readmeScenario("the first program", FIRST, async (scene, alice) => {
    await expect.poll(() => said(alice).at(-1)).toBe("online: alice (1)")
    const crowd = await Crowd.enter(scene, "room:lobby")
    await crowd.join("bob")
    await expect.poll(() => said(alice).at(-1)).toBe("online: alice (1), bob (1)")
    await crowd.leave("bob")
    await expect.poll(() => said(alice).at(-1)).toBe("online: alice (1)")
  })

  readmeScenario("changes", CHANGES, async (scene, alice) => {
    const crowd = await Crowd.enter(scene, "room:lobby")
    await expect.poll(() => said(alice)).toContain("alice joined")
    await crowd.join("bob")
    await expect.poll(() => said(alice)).toContain("bob joined")
    await push(alice, "set_status", { status: "here" })
    await push(alice, "set_status", { status: "at lunch" })
    await crowd.leave("bob")
    await expect.poll(() => said(alice)).toContain("bob left")
    expect(said(alice).slice(-5)).toEqual([
      "alice: undefined -> here",
      "alice updated",
      "alice: here -> at lunch",
      "alice updated",
      "bob left",
    ])
  })

  readmeScenario("a roster to draw from", DRAW, async (scene, alice) => {
    await expect.poll(() => said(alice)).toContain("synced: 1 here, 0 as drawn, my devices: 1")
    const crowd = await Crowd.enter(scene, "room:lobby")
    await crowd.join("bob")
    await expect.poll(() => said(alice).at(-1)).toBe("synced: 2 here, 1 as drawn, my devices: 1")
    await push(alice, "set_status", { status: "here" })
    await expect
      .poll(() => said(alice).slice(-2))
      .toEqual(Array(2).fill("synced: 2 here, 1 as drawn, my devices: 1"))
    await scene.server.kill()
    await expect.poll(() => said(alice).at(-1)).toBe("stale: 2 here, 2 as drawn, my devices: 1")
  })

  readmeScenario("awaiting", AWAIT, async (_scene, alice) => {
    await expect.poll(() => said(alice)).toEqual(["{text: hello}", "PushError error too long", "closed"])
  })

  readmeScenario("an end", END, async (scene, alice) => {
    await expect.poll(() => said(alice)).toEqual(["1"])
    const crowd = await Crowd.enter(scene, "room:lobby")
    await crowd.join("bob")
    // Bob's diff came before this answer.
    await push(alice, "echo", {})
    expect(said(alice)).toEqual(["1"])
  })

  readmeScenario("options", OPTIONS, async (_scene, alice) => {
    await expect.poll(() => said(alice)).toEqual(["not let in"])
    expect(await push(alice, "whoami", {}, "room:lobby")).toMatchObject({
      user_id: "ann",
      auth_token: "secret",
    })
    await alice.page.routeWebSocket(/socket/, (socket) => socket.close({ code: 1008 }))
    await alice.page.reload()
    await expect.poll(() => said(alice).at(-1)).toBe("sent away: 1008")
  })

  readmeScenario("the wasm apart", SLIM, async (_scene, alice) => {
    await expect.poll(() => said(alice)).toEqual(["{ann: Object}"])
  })
})

describe("in Node", () => {
  /** In the package's own folder, where it goes by its name. */
  const run = (code: string): string =>
    execFileSync(process.execPath, ["--input-type=module", "-e", code], { cwd: NPM, encoding: "utf8" }).trim()

  it("without WebAssembly loads phoenix.js, and this package where there is WebAssembly", () => {
    // phoenix.js's sockets have no driver.
    const loaded = `${BARE}
      const socket = new Socket("ws://127.0.0.1/socket", { transport: class {} })
      console.log(typeof Presence, socket.driver === undefined ? "phoenix" : "phoenix-presence")`
    expect(run(loaded)).toBe("function phoenix-presence")
    expect(run(`delete globalThis.WebAssembly\n${loaded}`)).toBe("function phoenix")
  })

  it("on a server renders the component for React, without WebAssembly or the network", () => {
    const { code } = transformSync(ROOM + SERVER, { loader: "jsx", jsx: "automatic" })
    const without = "for (const name of ['WebAssembly', 'WebSocket', 'fetch']) delete globalThis[name]\n"
    expect(run(without + code)).toBe("<p>online: </p>")
  })
})
