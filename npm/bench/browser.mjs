// What the browser's bench runs in its page; `chromium.mjs` bundles it.

import * as phoenix from "phoenix"
import * as ours from "../dist/index.mjs"
import { measure, written } from "./program.mjs"
import { rival } from "./rival.mjs"

export const run = () =>
  measure({
    libs: { "phoenix.js": phoenix, "plain JS": rival, ours },
    sizes: [10, 1000, 10_000],
    gc: globalThis.gc,
    report: (line) => console.log(written(line)),
  })
