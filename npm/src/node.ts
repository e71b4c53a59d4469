// The default entry for Node, Deno, Bun and Jest: the wasm is inlined as it is, since nobody downloads this, and not a
// file beside it, which would be lost where a bundler for servers takes this entry. Other bundlers take the one that
// has it packed.

import { Buffer } from "node:buffer"
import { whole } from "../wasm/whole.js"
import { provide } from "./engine.js"

provide(() => Buffer.from(whole, "base64"))

export * from "./exports.js"
