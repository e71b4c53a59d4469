import { describe, expect } from "vitest"
import { Crowd } from "./support/crowd.ts"
import { scenario, withBrowser } from "./support/scenario.ts"

withBrowser()

describe("who's online", () => {
  scenario("the page runs over this package", async (scene) => {
    const alice = await scene.enter("alice")
    await alice.untilConnection("online")
    expect(await alice.page.getByTestId("library").textContent()).toBe("phoenix-presence")
  })

  scenario("two people see each other come and go", async (scene) => {
    const alice = await scene.enter("alice")
    await alice.untilConnection("online")
    await alice.untilRoster({ alice: 1 })

    const bob = await scene.enter("bob")
    await bob.untilRoster({ alice: 1, bob: 1 })
    await alice.untilRoster({ alice: 1, bob: 1 })
    expect(await alice.log("bob")).toEqual(["joined"])
    // Whoever was there first is no news to Bob; his own join, which arrives twice, is one line.
    expect(await bob.log("alice")).toEqual([])
    await expect.poll(() => bob.log("bob")).toEqual(["joined"])

    await bob.leave()
    await alice.untilRoster({ alice: 1 })
    expect(await alice.log("bob")).toEqual(["joined", "left"])
  })

  scenario("a second device counts and goes without its person leaving", async (scene) => {
    const alice = await scene.enter("alice")
    const bob = await scene.enter("bob")
    await bob.untilRoster({ alice: 1, bob: 1 })

    const second = await scene.enterAgain(alice)
    for (const visitor of [alice, bob, second]) await visitor.untilRoster({ alice: 2, bob: 1 })
    expect((await bob.log("alice")).at(-1)).toBe("device-joined")

    await second.leave()
    for (const visitor of [alice, bob]) await visitor.untilRoster({ alice: 1, bob: 1 })
    expect((await bob.log("alice")).slice(-2)).toEqual(["device-joined", "device-left"])
  })

  scenario("a status reaches everybody as an update, not as a leave and a join", async (scene) => {
    const alice = await scene.enter("alice")
    await alice.untilRoster({ alice: 1 })
    const bob = await scene.enter("bob")
    await alice.untilRoster({ alice: 1, bob: 1 })
    await bob.untilRoster({ alice: 1, bob: 1 })

    await alice.setStatus("Writing the release notes")
    await bob.untilStatus("alice", "Writing the release notes")
    await alice.untilStatus("alice", "Writing the release notes")
    expect(await bob.log("alice")).toEqual(["status"])
    expect(await bob.roster()).toEqual({ alice: 1, bob: 1 })

    await alice.page.getByRole("button", { name: "Away" }).click()
    await bob.untilStatus("alice", "Away")
    await alice.page.getByRole("button", { name: "Away" }).click()
    await bob.untilStatus("alice", "Online")
    expect(await bob.log("alice")).toEqual(["status", "status", "status"])
  })

  scenario("a cut connection comes back by itself with roster and status", async (scene) => {
    const alice = await scene.enter("alice")
    const bob = await scene.enter("bob")
    await alice.setStatus("Focusing")
    await bob.untilStatus("alice", "Focusing")

    await alice.cutConnection()
    await expect.poll(() => alice.log()).toEqual(expect.arrayContaining(["cut", "back"]))
    await alice.untilConnection("online")
    for (const visitor of [alice, bob]) {
      await visitor.untilRoster({ alice: 1, bob: 1 })
      await visitor.untilStatus("alice", "Focusing")
    }
  })

  scenario("everybody is right again after the server was killed and restarted", async (scene) => {
    const alice = await scene.enter("alice")
    const second = await scene.enterAgain(alice)
    const bob = await scene.enter("bob")
    const everybody = [alice, second, bob]
    await bob.setStatus("In a call")
    for (const visitor of everybody) {
      await visitor.untilRoster({ alice: 2, bob: 1 })
      await visitor.untilStatus("bob", "In a call")
    }

    await scene.server.kill()
    for (const visitor of everybody) await visitor.untilConnection("reconnecting")
    // The last known list stays in sight.
    expect(await alice.roster()).toEqual({ alice: 2, bob: 1 })

    await scene.server.start()
    for (const visitor of everybody) {
      await visitor.untilConnection("online")
      await visitor.untilRoster({ alice: 2, bob: 1 })
      await visitor.untilStatus("bob", "In a call")
    }
  })

  scenario("somebody who left while the server was down is gone afterwards", async (scene) => {
    const alice = await scene.enter("alice")
    const bob = await scene.enter("bob")
    await alice.untilRoster({ alice: 1, bob: 1 })

    await scene.server.kill()
    await alice.untilConnection("reconnecting")
    await bob.leave()
    await scene.server.start()
    await alice.untilConnection("online")
    await alice.untilRoster({ alice: 1 })
    expect(await alice.log("bob")).toEqual(expect.arrayContaining(["left"]))
  })

  scenario("a browser that goes offline says so, and comes back", async (scene) => {
    const alice = await scene.enter("alice")
    await alice.untilRoster({ alice: 1 })
    await alice.context.setOffline(true)
    await alice.untilConnection("offline")
    await alice.context.setOffline(false)
    await alice.untilConnection("online")
    await alice.untilRoster({ alice: 1 })
  })

  scenario("a room that refuses says why", async (scene) => {
    const alice = await scene.enter("alice", { room: "forbidden" })
    await expect.poll(() => alice.page.getByTestId("notice").textContent()).toContain("forbidden")
    expect(await alice.roster()).toEqual({})
  })

  scenario("without a user id, a name is invented and kept through a reload", async (scene) => {
    const guest = await scene.enter("")
    await guest.untilConnection("online")
    await expect.poll(async () => Object.keys(await guest.roster())).toHaveLength(1)
    const [name] = Object.keys(await guest.roster())
    expect(name).toMatch(/^[a-z]+-[a-z]+$/)
    await guest.page.reload()
    await guest.untilConnection("online")
    await guest.untilRoster({ [name ?? ""]: 1 })
  })

  scenario("names and statuses are text, whatever they hold", async (scene) => {
    const alice = await scene.enter("alice")
    await alice.untilRoster({ alice: 1 })
    const evil = `<img src=x onerror="alert('name')">`
    const mallory = await scene.enter(evil)
    await mallory.untilConnection("online")
    const odd = await scene.enter("__proto__")
    await odd.untilConnection("online")
    await mallory.setStatus("<script>alert('status')</script>")
    await alice.untilStatus(evil, "<script>alert('status')</script>")

    for (const visitor of [alice, mallory, odd]) {
      await expect.poll(() => visitor.page.getByTestId("person").count()).toBe(3)
      const names = await visitor.page.getByTestId("name").allTextContents()
      expect(names.sort()).toEqual(["Alice", evil, "__proto__"].sort())
      expect(await visitor.page.locator("body img, body script:not([src])").count()).toBe(0)
    }
    await expect.poll(() => alice.page.getByTestId("log").textContent()).toContain(`${evil} is now “<script>`)
  })

  scenario("2,000 people fit on the page, and one row moves at a time", async (scene) => {
    const crowd = await Crowd.enter(scene, "room:lobby")
    const keys = Array.from({ length: 2000 }, (_, index) => `person-${index}`)
    await crowd.join(...keys)
    const alice = await scene.enter("alice")
    await alice.untilRoster({ alice: 1, ...Object.fromEntries(keys.map((key) => [key, 1])) })
    expect(await alice.page.getByTestId("count").textContent()).toBe("2,001 people, 2,001 devices")

    const touched = await alice.page.evaluateHandle(() => {
      const rows = new Set<string | undefined>()
      new MutationObserver((records) => {
        for (const { addedNodes, removedNodes } of records) {
          for (const node of [...addedNodes, ...removedNodes]) rows.add((node as HTMLElement).dataset.key)
        }
      }).observe(document.querySelector("[data-testid=people]") as Element, { childList: true })
      return rows
    })
    await crowd.leave("person-7")
    await crowd.join("late")
    await expect.poll(() => alice.log("late")).toEqual(["joined"])
    expect(await alice.log("person-7")).toEqual(["left"])
    expect(await touched.evaluate((rows) => [...rows].sort())).toEqual(["late", "person-7"])

    crowd.vanish()
    await alice.untilRoster({ alice: 1 })
  })
})
