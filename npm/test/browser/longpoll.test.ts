import { describe, expect } from "vitest"
import { Crowd } from "./support/crowd.ts"
import {
  connect,
  LIBRARIES,
  roster,
  libraryScenario as scenario,
  withLibraries,
} from "./support/libraries.ts"
import { proxyWithoutWebSockets } from "./support/no-websockets.ts"
import { withBrowser } from "./support/scenario.ts"

withBrowser()
withLibraries()

describe.each(LIBRARIES)("%s behind a proxy that knows no WebSockets", (library) => {
  scenario(`long polling takes over (${library})`, async (scene) => {
    const alice = await scene.enter("alice", {}, { at: await proxyWithoutWebSockets(scene) })
    await connect(alice, { library, name: "alice", socket: { longPollFallbackMs: 1000 } })
    await expect.poll(() => roster(alice, "alice")).toEqual(["alice 1"])
    const crowd = await Crowd.enter(scene, "room:lobby")
    await crowd.join("bob")
    await expect.poll(() => roster(alice, "alice")).toEqual(["alice 1", "bob 1"])
    const echoed = await alice.page.evaluate(
      () =>
        new Promise((resolve) => {
          globalThis.clients.alice?.channel.push("echo", { by: "poll" }).receive("ok", resolve)
        }),
    )
    expect(echoed).toEqual({ by: "poll" })
    expect(await alice.page.evaluate(() => globalThis.clients.alice?.socket.conn instanceof WebSocket)).toBe(
      false,
    )
  })
})
