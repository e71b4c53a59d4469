import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, expect } from "vitest"
import { Crowd } from "./support/crowd.ts"
import { scenario, withBrowser } from "./support/scenario.ts"

const ROOT = fileURLToPath(new URL("../../..", import.meta.url))
const ENTRY = process.env.PRESENCE_PACKAGE_ENTRY ?? join(ROOT, "npm/dist/index.mjs")

let folder = ""

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "presence-readme-"))
  copyFileSync(ENTRY, join(folder, "phoenix-presence.mjs"))
  writeFileSync(
    join(folder, "index.html"),
    `<!doctype html><title>readme</title>
    <script type="importmap">{ "imports": { "phoenix-presence": "/phoenix-presence.mjs" } }</script>
    <script type="module">${firstProgram()}</script>`,
  )
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))
withBrowser()

function firstProgram(): string {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8")
  const program = readme.match(/```js\n(.*?)```/s)?.[1]
  if (!program) throw new Error("README.md has no js example")
  return program
}

// No bundler at all: the built entry, an import map, and the program as it stands in the README.
scenario(
  "the README's JavaScript runs as written",
  async (scene) => {
    const alice = await scene.enter("alice")
    await expect.poll(() => alice.console.at(-1)).toBe("log: online: alice (1)")
    const crowd = await Crowd.enter(scene, "room:lobby")
    await crowd.join("bob")
    await expect.poll(() => alice.console.at(-1)).toBe("log: online: alice (1), bob (1)")
    await crowd.leave("bob")
    await expect.poll(() => alice.console.at(-1)).toBe("log: online: alice (1)")
  },
  () => folder,
)
