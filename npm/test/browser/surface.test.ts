import { describe, expect } from "vitest"
import { Crowd } from "./support/crowd.ts"
import {
  connect,
  events,
  LIBRARIES,
  roster,
  libraryScenario as scenario,
  syncs,
  withLibraries,
} from "./support/libraries.ts"
import { withBrowser } from "./support/scenario.ts"

withBrowser()
withLibraries()

// The same program over either library: what one does, the other does.
describe.each(LIBRARIES)("%s in a browser", (library) => {
  const named = (name: string) => `${name} (${library})`

  scenario(named("the program of Phoenix's documentation runs as written"), async (scene) => {
    const alice = await scene.enter("alice")
    await alice.page.waitForFunction(() => "libraries" in globalThis)
    await alice.page.evaluate((which) => {
      const { Socket, Presence } = globalThis.libraries[which]
      const socket = new Socket("/socket", { params: { user_id: "alice" } })
      const channel = socket.channel("room:lobby", {})
      const presence = new Presence(channel)
      const note = (text: string) => {
        const line = document.createElement("p")
        line.textContent = text
        document.body.append(line)
      }
      presence.onJoin((id, current) => note(current ? `${id} again` : `${id} in`))
      presence.onLeave((id, current) => {
        note((current as { metas: unknown[] }).metas.length === 0 ? `${id} out` : `${id} fewer`)
      })
      presence.onSync(() => {
        document.title = presence.list((id, { metas: [, ...rest] }) => `${id}(${rest.length + 1})`).join(" ")
      })
      socket.connect()
      channel.join()
    }, library)
    await expect.poll(() => alice.page.title()).toBe("alice(1)")

    const crowd = await Crowd.enter(scene, "room:lobby")
    await crowd.join("bob")
    await expect.poll(() => alice.page.title()).toBe("alice(1) bob(1)")
    await crowd.leave("bob")
    await expect.poll(() => alice.page.title()).toBe("alice(1)")
    // Her own join comes in the state and again in a diff.
    expect(await alice.page.locator("p").allTextContents()).toEqual([
      "alice in",
      "alice again",
      "bob in",
      "bob out",
    ])
  })

  scenario(named("a channel that crashed on the server joins again"), async (scene) => {
    const alice = await scene.enter("alice")
    await connect(alice, { library, name: "alice" })
    await expect.poll(() => roster(alice, "alice")).toEqual(["alice 1"])
    await alice.page.evaluate(() => {
      globalThis.clients.alice?.channel.push("crash", {})
    })
    await expect.poll(() => events(alice, "alice")).toEqual(["open", "joined", "error", "joined"])
    await expect.poll(() => roster(alice, "alice")).toEqual(["alice 1"])
  })

  scenario(named("a refused join says why, and leaves the socket in peace"), async (scene) => {
    const alice = await scene.enter("alice")
    await connect(alice, { library, name: "alice" })
    await expect.poll(() => events(alice, "alice")).toEqual(["open", "joined"])
    const reason = await alice.page.evaluate(
      () =>
        new Promise((resolve) => {
          globalThis.clients.alice?.socket
            .channel("room:forbidden", {})
            .join()
            .receive("ok", () => resolve("let in"))
            .receive("error", resolve)
        }),
    )
    expect(reason).toEqual({ reason: "forbidden" })
    expect(await alice.page.evaluate(() => globalThis.clients.alice?.channel.state)).toBe("joined")
  })

  scenario(named("bytes go out and come back as they were"), async (scene) => {
    const alice = await scene.enter("alice")
    await connect(alice, { library, name: "alice" })
    const answer = await alice.page.evaluate(
      () =>
        new Promise<{ isBuffer: boolean; bytes: number[] }>((resolve) => {
          const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
          globalThis.clients.alice?.channel.push("echo", bytes.buffer).receive("ok", (reply) => {
            const isBuffer = reply instanceof ArrayBuffer
            resolve({ isBuffer, bytes: [...new Uint8Array(reply as ArrayBuffer)] })
          })
        }),
    )
    expect(answer).toEqual({ isBuffer: true, bytes: Array.from({ length: 256 }, (_, index) => index) })
  })

  scenario(named("a killed and restarted server finds the same room"), async (scene) => {
    const alice = await scene.enter("alice")
    const bob = await scene.enter("bob")
    await connect(alice, { library, name: "alice" })
    await connect(bob, { library, name: "bob" })
    await expect.poll(() => roster(alice, "alice")).toEqual(["alice 1", "bob 1"])
    await scene.server.kill()
    for (const visitor of [alice, bob]) {
      await expect.poll(() => events(visitor, visitor.name)).toContain("close")
    }
    await scene.server.start()
    for (const visitor of [alice, bob]) {
      await expect.poll(() => roster(visitor, visitor.name)).toEqual(["alice 1", "bob 1"])
    }
  })

  scenario(named("a hidden page waits to reconnect until it is shown"), async (scene) => {
    const alice = await scene.enter("alice")
    const bob = await scene.enter("bob")
    await connect(alice, { library, name: "alice" })
    await connect(bob, { library, name: "bob" })
    await expect.poll(() => roster(bob, "bob")).toEqual(["alice 1", "bob 1"])

    const turn = (state: "hidden" | "visible") =>
      alice.page.evaluate((visibility) => {
        Object.defineProperty(document, "visibilityState", { configurable: true, value: visibility })
        document.dispatchEvent(new Event("visibilitychange", { bubbles: true }))
        globalThis.clients.alice?.events.push(visibility)
      }, state)
    await turn("hidden")
    await alice.page.evaluate(() => globalThis.clients.alice?.socket.conn?.close())
    await expect.poll(() => roster(bob, "bob")).toEqual(["bob 1"])
    // For as long as Bob, who is visible, needs to lose his connection and come back, Alice stays away.
    await bob.page.evaluate(() => globalThis.clients.bob?.socket.conn?.close())
    await expect
      .poll(() => events(bob, "bob"))
      .toEqual(["open", "joined", "error", "close", "open", "joined"])
    await turn("visible")
    await expect
      .poll(() => events(alice, "alice"))
      .toEqual(["open", "joined", "hidden", "error", "close", "visible", "open", "joined"])
    await expect.poll(() => roster(bob, "bob")).toEqual(["alice 1", "bob 1"])
  })

  scenario(named("a frozen page is right again once it goes on"), async (scene) => {
    const alice = await scene.enter("alice")
    await connect(alice, { library, name: "alice" })
    const crowd = await Crowd.enter(scene, "room:lobby")
    await crowd.join("bob", "carol")
    await expect.poll(() => roster(alice, "alice")).toEqual(["alice 1", "bob 1", "carol 1"])
    const devtools = await alice.context.newCDPSession(alice.page)
    await devtools.send("Page.setWebLifecycleState", { state: "frozen" })
    await scene.server.kill()
    await scene.server.start()
    await (await Crowd.enter(scene, "room:lobby")).join("dave")
    await devtools.send("Page.setWebLifecycleState", { state: "active" })
    await expect.poll(() => roster(alice, "alice")).toEqual(["alice 1", "dave 1"])
  })

  scenario(named("2,000 people in the room, of whom all but one go at once"), async (scene) => {
    const crowd = await Crowd.enter(scene, "room:lobby")
    const keys = Array.from({ length: 2000 }, (_, index) => `person-${index}`)
    await crowd.join(...keys)
    const alice = await scene.enter("alice")
    await connect(alice, { library, name: "alice" })
    const everybody = ["alice 1", ...keys.map((key) => `${key} 1`)].sort()
    await expect.poll(() => roster(alice, "alice")).toEqual(everybody)
    await crowd.leave("person-7")
    await expect.poll(() => roster(alice, "alice")).toEqual(everybody.filter((line) => line !== "person-7 1"))
    crowd.vanish()
    await expect.poll(() => roster(alice, "alice")).toEqual(["alice 1"])
  })
})

describe("both libraries side by side", () => {
  scenario("they show the same list, in the same order, at every sync", async (scene) => {
    const visitor = await scene.enter("side by side")
    const crowd = await Crowd.enter(scene, "room:lobby")
    await crowd.join("10", "b", "2", "a", "__proto__")
    // One after the other, so that either has its state before what is compared.
    for (const library of LIBRARIES) {
      await connect(visitor, { library, name: library })
      await expect.poll(() => events(visitor, library)).toContain("joined")
    }
    for (const library of LIBRARIES) await expect.poll(() => roster(visitor, library)).toHaveLength(7)
    await crowd.join("start")
    for (const step of ["1", "zoë", "constructor", "4294967295", ""]) await crowd.join(step)
    for (const step of ["10", "a", "b"]) await crowd.leave(step)
    for (const step of ["b", "10", "a"]) await crowd.join(step)
    await crowd.join("end")

    const since = async (library: string) => {
      const seen = (await syncs(visitor, library)).map((list) =>
        list.filter((line) => !line.startsWith("ph")),
      )
      const start = seen.findIndex((list) => list.includes("start 1"))
      return seen.slice(start)
    }
    for (const library of LIBRARIES) {
      await expect.poll(async () => (await since(library)).at(-1)).toContain("end 1")
    }
    const [ours, theirs] = await Promise.all(LIBRARIES.map(since))
    expect(ours).toEqual(theirs)
    expect(ours).toHaveLength(13)
  })
})
