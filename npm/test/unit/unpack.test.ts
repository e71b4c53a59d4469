// The wasm in the default entry is the one that lies beside it.

import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { unpack } from "../../src/unpack.js"
import { packed } from "../../wasm/packed.js"

it("is unpacked to the wasm that was packed", () => {
  const wasm = readFileSync(new URL("../../wasm/presence_wasm_bg.wasm", import.meta.url))
  expect(Buffer.compare(unpack(packed), wasm)).toBe(0)
})
