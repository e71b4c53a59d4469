import { readFileSync } from "node:fs"
import { defineConfig } from "vitest/config"

/** The wasm is inlined as text, as the build does it. */
const inlinedWasm = {
  name: "inlined-wasm",
  enforce: "pre" as const,
  load(id: string) {
    return id.endsWith(".wasm") ? `export default "${readFileSync(id, "base64")}"` : undefined
  },
}

export default defineConfig({
  plugins: [inlinedWasm],
  test: { include: ["test/unit/*.test.ts"] },
})
