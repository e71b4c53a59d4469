// The README's lines for where there is no WebAssembly, run as they stand there.

import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { expect, it } from "vitest"

const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8")
const chapter = readme.slice(readme.indexOf("### Without WebAssembly"))
const code = /```js\n([\s\S]*?)```/.exec(chapter)?.[1]

/** Which library the lines load: phoenix.js's sockets have no driver. */
const loaded = (before: string): string => {
  const program = `${before}${code}
    const socket = new Socket("ws://127.0.0.1/socket", { transport: class {} })
    console.log(typeof Presence, socket.driver === undefined ? "phoenix" : "phoenix-presence")`
  const cwd = new URL("../..", import.meta.url)
  return execFileSync(process.execPath, ["--input-type=module", "-e", program], {
    cwd,
    encoding: "utf8",
  }).trim()
}

it("the README's lines load this package where there is WebAssembly, and phoenix.js where there is none", () => {
  expect(loaded("")).toBe("function phoenix-presence")
  expect(loaded("delete globalThis.WebAssembly\n")).toBe("function phoenix")
})
