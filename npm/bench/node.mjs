// `cargo xtask bench node`: the built package beside phoenix.js and the rival, in Node.

import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import * as phoenix from "phoenix"
import * as ours from "../dist/index.mjs"
import { measure, written } from "./program.mjs"
import { rival } from "./rival.mjs"

setFlagsFromString("--expose-gc")
const gc = runInNewContext("gc")

console.log("What each takes, and how many times longer phoenix.js and plain JavaScript do:")
await measure({
  libs: { "phoenix.js": phoenix, "plain JS": rival, ours },
  sizes: [10, 1000, 10_000],
  gc,
  report: (line) => console.log(written(line)),
})
