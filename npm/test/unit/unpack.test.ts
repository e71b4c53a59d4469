// The wasm in the default entry is the one that lies beside it.

import { Buffer } from "node:buffer"
import { readFileSync } from "node:fs"
import { afterEach, expect, it, vi } from "vitest"
import { unpack } from "../../src/unpack.js"
import { packed } from "../../wasm/packed.js"

afterEach(() => vi.unstubAllGlobals())

it.each([["with", Buffer] as const, ["without", undefined] as const])(
  "is unpacked %s Node's Buffer",
  (_how, there) => {
    vi.stubGlobal("Buffer", there)
    const wasm = readFileSync(new URL("../../wasm/presence_wasm_bg.wasm", import.meta.url))
    expect(Buffer.compare(unpack(packed), wasm)).toBe(0)
  },
)
