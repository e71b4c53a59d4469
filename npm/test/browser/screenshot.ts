import { execFileSync } from "node:child_process"
import { statSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect } from "vitest"
import { Bot } from "./support/bot.ts"
import { scenario, withBrowser } from "./support/scenario.ts"
import type { Roster } from "./support/visitor.ts"

withBrowser()

const PICTURE = fileURLToPath(new URL("../../../examples/web/screenshot.png", import.meta.url))

const PHONE = { userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/605" }
const TABLET = { userAgent: "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) Safari/605" }
const MAC = { userAgent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 15_0) Safari/605" }

scenario("the picture of the page", async (scene) => {
  const noor = await scene.enter("noor", {}, MAC)
  await noor.setStatus("Focusing")
  const mateo = await scene.enter("mateo-ruiz", {}, PHONE)
  await mateo.setStatus("On the train, back at ten")
  const withBot: Roster = process.env.PRESENCE_BOT_BIN ? { bot: 1 } : {}
  if (withBot.bot) new Bot(scene, "room:lobby")
  await noor.untilStatus("mateo-ruiz", "On the train, back at ten")
  await noor.untilRoster({ noor: 1, "mateo-ruiz": 1, ...withBot })

  const alice = await scene.enter(
    "alice",
    {},
    {
      viewport: { width: 1120, height: 740 },
      deviceScaleFactor: 2,
      colorScheme: "light",
      reducedMotion: "reduce",
    },
  )
  await alice.untilRoster({ noor: 1, alice: 1, "mateo-ruiz": 1, ...withBot })
  await scene.enter("noor", {}, PHONE)
  await scene.enter("noor", {}, TABLET)
  await alice.untilRoster({ noor: 3, alice: 1, "mateo-ruiz": 1, ...withBot })
  const samir = await scene.enter("samir", {}, MAC)
  const priya = await scene.enter("priya", {}, TABLET)
  for (const visitor of [samir, priya]) await visitor.untilConnection("online")
  const second = await scene.enter("alice", {}, PHONE)
  await second.untilConnection("online")
  await alice.setStatus("Writing the release notes")
  await samir.leave()
  await alice.untilRoster({ noor: 3, alice: 2, "mateo-ruiz": 1, priya: 1, ...withBot })
  await alice.untilStatus("alice", "Writing the release notes")

  await alice.page.mouse.move(0, 0)
  await alice.page.evaluate(() => (document.activeElement as HTMLElement).blur())
  await alice.page.evaluate(() => document.fonts.ready.then(() => undefined))
  await alice.page.screenshot({ path: PICTURE })
  // 256 colours are enough for it, and make a third of the size.
  execFileSync("pngquant", ["--force", "--strip", "--speed=1", "--output", PICTURE, "256", PICTURE])
  expect(statSync(PICTURE).size).toBeLessThan(200 * 1024)
})
