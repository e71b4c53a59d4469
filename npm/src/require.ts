// The default entry for `require` in Node and in Jest: the wasm is the file beside it. Bundlers take the other.

import { readFileSync } from "node:fs"
import { join } from "node:path"
import { provide } from "./engine.js"

provide(() => readFileSync(join(__dirname, "presence.wasm")))

export * from "./exports.js"
