// The README's programs in JavaScript, as they stand there.

import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const ROOT = fileURLToPath(new URL("../../..", import.meta.url))
const readme = readFileSync(join(ROOT, "README.md"), "utf8")
const BLOCK = /^```jsx?\n(.*?)^```/ms

/** All there are. */
export const programs: string[] = [...readme.matchAll(new RegExp(BLOCK, "gms"))].map(([, code]) => code)

/** The first one after these words. */
export function program(words: string): string {
  const from = readme.indexOf(words)
  const code = from < 0 ? undefined : BLOCK.exec(readme.slice(from))?.[1]
  if (code === undefined) throw new Error(`README.md has no program after ${words}`)
  return code
}
