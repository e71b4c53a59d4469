import { createRequire } from "node:module"
import { describe, expect } from "vitest"
import { scenario, withBrowser } from "./support/scenario.ts"

withBrowser()

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js")

interface Axe {
  run(
    options: object,
  ): Promise<{ violations: { id: string; nodes: { target: unknown[]; failureSummary?: string }[] }[] }>
}

describe("the page is for everybody", () => {
  for (const colorScheme of ["light", "dark"] as const) {
    scenario(`axe finds nothing to fault, ${colorScheme}`, async (scene) => {
      await (await scene.enter("bob")).untilConnection("online")
      const alice = await scene.enter("alice", {}, { colorScheme, reducedMotion: "reduce" })
      await alice.setStatus("Focusing")
      await alice.untilStatus("alice", "Focusing")
      await alice.page.addScriptTag({ path: AXE })
      const faults = await alice.page.evaluate(async () => {
        const { violations } = await (globalThis as unknown as { axe: Axe }).axe.run({
          runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"],
        })
        return violations.flatMap(({ id, nodes }) =>
          nodes.map((node) => `${id}: ${node.target} ${node.failureSummary}`),
        )
      })
      expect(faults).toEqual([])
    })
  }

  scenario("everything is reached by keyboard, in the order in which it is seen", async (scene) => {
    const alice = await scene.enter("alice")
    await alice.untilRoster({ alice: 1 })
    const reached: string[] = []
    for (let step = 0; step < 11; step += 1) {
      await alice.page.keyboard.press("Tab")
      reached.push(
        await alice.page.evaluate(
          () => document.activeElement?.textContent?.trim() || document.activeElement?.id || "",
        ),
      )
    }
    expect(reached.slice(0, 10)).toEqual([
      "Skip to the people",
      "Cut the connection",
      "status-input",
      "Set",
      "Available",
      "Focusing",
      "In a call",
      "At lunch",
      "Away",
      "Open a second device",
    ])
    await alice.page.getByTestId("status-input").focus()
    await alice.page.keyboard.type("Typing")
    await alice.page.keyboard.press("Enter")
    await alice.untilStatus("alice", "Typing")
  })

  for (const [name, width] of [
    ["phone", 320],
    ["tablet", 768],
    ["desk", 1280],
  ] as const) {
    scenario(`nothing is wider than a ${name}`, async (scene) => {
      const alice = await scene.enter(
        "a-name-as-long-as-it-takes-to-find-out-what-gives-way-first",
        {},
        { viewport: { width, height: 800 } },
      )
      await alice.setStatus("x".repeat(80))
      await expect.poll(() => alice.page.getByTestId("log").textContent()).toContain("xxxx")
      expect(await alice.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
    })
  }
})
