// Bundles src into dist: one file an entry, the wasm inlined into it as base64.
// `cargo xtask build-npm` makes wasm/ first.

import { execFileSync } from "node:child_process"
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

process.chdir(fileURLToPath(new URL(".", import.meta.url)))
rmSync("dist", { recursive: true, force: true })

const wasm = readFileSync("wasm/presence_wasm_bg.wasm").toString("base64")
writeFileSync("wasm/base64.js", `export const base64 = "${wasm}"\n`)
writeFileSync("wasm/base64.d.ts", "export declare const base64: string\n")

/** The glue is imported for its functions only; what it would fetch is handed to it. */
const glue = {
  name: "glue",
  setup({ onLoad }) {
    onLoad({ filter: /presence_wasm\.js$/ }, ({ path }) => ({
      // Every reference to import.meta.url is in the asynchronous default initialiser, which nobody here calls,
      // but which would make bundlers look for the file.
      contents: readFileSync(path, "utf8").replaceAll(/new URL\([^)]*import\.meta\.url\)/g, "undefined"),
      loader: "js",
    }))
  },
}

const shared = {
  bundle: true,
  minify: true,
  platform: "neutral",
  target: "es2022",
  plugins: [glue],
  legalComments: "none",
}

await build({ ...shared, entryPoints: ["src/index.ts"], format: "esm", outfile: "dist/index.mjs" })
await build({ ...shared, entryPoints: ["src/index.ts"], format: "cjs", outfile: "dist/index.cjs" })

execFileSync("npx", ["tsc", "-p", "tsconfig.types.json"], { stdio: "inherit" })
cpSync("dist/index.d.ts", "dist/index.d.cts")
