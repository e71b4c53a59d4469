import { describe, expect } from "vitest"
import { Bot } from "./support/bot.ts"
import { scenario, withBrowser } from "./support/scenario.ts"

withBrowser()

describe("two browsers and the native bot in one room", () => {
  scenario(
    "each sees the others come, change and go, and is right after a restart of the server",
    async (scene) => {
      const alice = await scene.enter("alice")
      await alice.untilRoster({ alice: 1 })
      const bot = new Bot(scene, "room:lobby")
      await bot.until("synced")
      await alice.untilRoster({ alice: 1, bot: 1 })
      expect(await alice.log("bot")).toEqual(["joined"])

      const bob = await scene.enter("bob")
      await bot.until("joined", "bob")
      for (const visitor of [alice, bob]) await visitor.untilRoster({ alice: 1, bob: 1, bot: 1 })

      const second = await scene.enterAgain(bob)
      await bot.until("updated", "bob")
      for (const visitor of [alice, bob, second]) await visitor.untilRoster({ alice: 1, bob: 2, bot: 1 })

      let seen = bot.events.length
      await alice.setStatus("In a call")
      await bot.until("updated", "alice", seen)
      await bob.untilStatus("alice", "In a call")

      seen = bot.events.length
      await scene.server.kill()
      for (const visitor of [alice, bob, second]) await visitor.untilConnection("reconnecting")
      await second.leave()
      await scene.server.start()
      await bot.until("synced", undefined, seen)
      for (const visitor of [alice, bob]) {
        await visitor.untilConnection("online")
        await visitor.untilRoster({ alice: 1, bob: 1, bot: 1 })
        await visitor.untilStatus("alice", "In a call")
      }

      seen = bot.events.length
      await bob.leave()
      await bot.until("left", "bob", seen)
      await alice.untilRoster({ alice: 1, bot: 1 })

      await bot.kill()
      await alice.untilRoster({ alice: 1 })
      expect((await alice.log("bot")).at(-1)).toBe("left")
    },
  )
})
