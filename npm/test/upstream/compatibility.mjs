// What npm/COMPATIBILITY.md says, to hold runs to it.

import { readFileSync } from "node:fs"

const text = readFileSync(new URL("../../COMPATIBILITY.md", import.meta.url), "utf8")

const only = (what, pattern, within = text) => {
  const found = pattern.exec(within)
  if (found === null) throw new Error(`COMPATIBILITY.md has no ${what}`)
  return found[1]
}

/** Its program for the set-up of tests. */
export const program = () => only("program", /^```js\n(.*?)^```/ms)

/** Its table of counts. */
export const counts = () => only("table of counts", /^((?:\|[^\n]*\n)+)/m)

/** The cases of a file that fail by it, and how. */
export const failing = (file) => {
  const [, chapter] = text.split(`### ${file}\n`)
  const rows = chapter?.split("\n#")[0].match(/^\|.*\|$/gm) ?? []
  const cases = rows.slice(2).flatMap((row) => row.split(" | ").at(-1).replace(/ \|$/, "").split("<br>"))
  return new Map(
    cases.map((name) => [
      name.replace(/ †$/, ""),
      name.endsWith(" †") ? "fails, in phoenix.js too" : "fails",
    ]),
  )
}
