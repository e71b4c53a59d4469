// The wasm in the default entry is the one that lies beside it.

import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { inlined } from "../../src/inlined.js"

it("is unpacked to the wasm that was packed", () => {
  const wasm = readFileSync(new URL("../../wasm/presence_wasm_bg.wasm", import.meta.url))
  expect(Buffer.compare(inlined(), wasm)).toBe(0)
})
