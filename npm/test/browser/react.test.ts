import { fileURLToPath } from "node:url"
import { describe, expect } from "vitest"
import { scenario, withBrowser } from "./support/scenario.ts"
import type { Visitor } from "./support/visitor.ts"

const DIST = fileURLToPath(new URL("../../../examples/react/dist", import.meta.url))

withBrowser()

/** How often each row was rendered, as the page says. */
function renders({ page }: Visitor): Promise<Record<string, number>> {
  return page.evaluate(() => {
    const rows = [...document.querySelectorAll<HTMLElement>("[data-testid=person]")]
    return Object.fromEntries(rows.map(({ dataset }) => [dataset.key, Number(dataset.renders)]))
  })
}

// In development StrictMode mounts each component twice, which the counts show; in production it does nothing.
describe.each([
  ["production", 1],
  ["development", 2],
])("the React page, built for %s", (mode, mounted) => {
  const reactScenario: typeof scenario = (name, run) =>
    scenario(`${name} (${mode})`, run, () => `${DIST}/${mode}`)

  reactScenario("renders the row of who changed, and no other", async (scene) => {
    const alice = await scene.enter("alice")
    const bob = await scene.enter("bob")
    await alice.untilRoster({ alice: 1, bob: 1 })
    const before = await renders(alice)
    expect(before.bob).toBe(mounted)

    await bob.setStatus("at lunch")
    await alice.untilStatus("bob", "at lunch")
    expect(await renders(alice)).toEqual({ alice: before.alice, bob: mounted + 1 })
    await alice.setStatus("alone")
    await alice.untilStatus("alice", "alone")
    expect(await renders(alice)).toEqual({ alice: before.alice! + 1, bob: mounted + 1 })
  })

  reactScenario("renders no row when somebody else comes or leaves", async (scene) => {
    const alice = await scene.enter("alice")
    const bob = await scene.enter("bob")
    await alice.untilRoster({ alice: 1, bob: 1 })
    const before = await renders(alice)
    const carol = await scene.enter("carol")
    await alice.untilRoster({ alice: 1, bob: 1, carol: 1 })
    expect(await renders(alice)).toEqual({ ...before, carol: mounted })
    await carol.leave()
    await alice.untilRoster({ alice: 1, bob: 1 })
    expect(await renders(alice)).toEqual(before)
    await bob.leave()
    await alice.untilRoster({ alice: 1 })
    expect(await renders(alice)).toEqual({ alice: before.alice })
  })

  reactScenario("connects and joins once, and ends both when it goes", async (scene) => {
    const bob = await scene.enter("bob")
    await bob.untilRoster({ bob: 1 })
    const alice = await scene.enter("alice")
    await bob.untilRoster({ alice: 1, bob: 1 })
    await alice.untilRoster({ alice: 1, bob: 1 })
    expect(alice.sockets).toEqual([{ events: ["phx_join"], isOpen: true }])

    const door = alice.page.getByTestId("door")
    await door.click()
    await bob.untilRoster({ bob: 1 })
    await expect.poll(() => alice.sockets).toEqual([{ events: ["phx_join", "phx_leave"], isOpen: false }])

    await door.click()
    await alice.untilRoster({ alice: 1, bob: 1 })
    await bob.untilRoster({ alice: 1, bob: 1 })
    expect(alice.sockets.slice(1)).toEqual([{ events: ["phx_join"], isOpen: true }])
  })
})
