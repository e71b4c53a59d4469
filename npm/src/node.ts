// The default entry for `import` in Node: the wasm is the file beside it. Bundlers take the one that has it inlined.

import { readFileSync } from "node:fs"
import { provide } from "./engine.js"

provide(() => readFileSync(new URL("presence.wasm", import.meta.url)))

export * from "./exports.js"
