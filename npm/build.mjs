// Bundles src into dist. The wasm is there thrice: as presence.wasm, for `./slim`; inlined into the default entry,
// packed before base64, with a small one that unpacks it; and inlined as it is into that for Node.
// `cargo xtask build-npm` makes wasm/ first.

import { execFileSync } from "node:child_process"
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { minify } from "terser"

process.chdir(fileURLToPath(new URL(".", import.meta.url)))
rmSync("dist", { recursive: true, force: true })
mkdirSync("dist")

const WASM = "wasm/presence_wasm_bg.wasm"
copyFileSync(WASM, "dist/presence.wasm")
const { size: length } = statSync(WASM)
const { size: splitLength } = statSync(`${WASM}.split`)
writeConstants("whole", { whole: readFileSync(WASM, "base64") })
writeConstants("packed", { packed: readFileSync(`${WASM}.split.lzma`, "base64") })
// As hexadecimal digits, which gzip finds alike where the bytes are.
writeConstants("unpacker", {
  unpacker: readFileSync("wasm/presence_unpack.wasm", "hex"),
  splitLength,
  length,
})

// What npm shows: the README without its parts on the house and on Rust.
const readme = readFileSync("../README.md", "utf8")
const part = (from, to) => readme.slice(readme.indexOf(from), to && readme.indexOf(to))
const parts = [
  part("# phoenix-presence", "!["),
  part("## In JavaScript", "## In Rust"),
  part("## Where it differs", "## The house"),
  part("## Licence"),
]
writeFileSync("README.md", parts.join("").replaceAll("](npm/", "]("))
for (const licence of ["LICENSE-MIT", "LICENSE-APACHE"]) {
  copyFileSync(`../${licence}`, licence)
}

/** A module of constants, and its types. */
function writeConstants(name, constants) {
  const entries = Object.entries(constants)
  const values = entries.map(([key, value]) => `export const ${key} = ${JSON.stringify(value)}\n`)
  const types = entries.map(([key, value]) => `export declare const ${key}: ${typeof value}\n`)
  writeFileSync(`wasm/${name}.js`, values.join(""))
  writeFileSync(`wasm/${name}.d.ts`, types.join(""))
}

/** The glue is imported for its functions only; what it would fetch is handed to it. */
const glue = {
  name: "glue",
  setup({ onLoad }) {
    onLoad({ filter: /presence_wasm\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8")
        // Every reference to import.meta.url is in the asynchronous default initialiser, which nobody here calls,
        // but which would make bundlers look for the file.
        .replaceAll(/new URL\([^)]*import\.meta\.url\)/g, "undefined")
        // No JavaScript object ever gets into the wasm.
        .replace(/const table = wasm\.__wbindgen_externrefs;[^}]*/, "")
        // Texts are only those of errors, and few.
        .replace(
          /let cachedUint8ArrayMemory0 = .*?return cachedTextDecoder\.decode\(bytes\);\n\}/s,
          "const decodeText = (bytes) => new TextDecoder().decode(bytes)",
        )
        .replace("getUint8ArrayMemory0()", "new Uint8Array(wasm.memory.buffer)")
        .replace("cachedUint8ArrayMemory0 = null", "")
        // Machines are freed by the collector alone.
        .replace(/__destroy_into_raw\(\) .*?\n {4}\}\n {4}free\(\) .*?\n {4}\}/s, "")
        .replace(/if \(Symbol\.dispose\) .*/, "")
        // It is initialised in one place, and as it should be, in browsers that have what else is used.
        .replace(/if \(module !== undefined\) .*?\n {4}}\n/s, "({ module } = module)\n")
        .replace(/\(typeof FinalizationRegistry .*?: (?=new)/s, "")
        // Of TypeScript's enums nothing is left but the numbers.
        .replaceAll(/const (\w+) = Object\.freeze\(\{(.*?)\}\)/gs, (_, name, members) => {
          const numbers = members.matchAll(/(\w+): (\d+)/g)
          return `enum ${name} { ${Array.from(numbers, ([, member, number]) => `${member} = ${number}`)} }`
        }),
      loader: "ts",
    }))
  },
}

const bundle = (entry, outfile, more = {}) =>
  build({
    entryPoints: [`src/${entry}.ts`],
    outfile: `dist/${outfile}`,
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    // The browsers that the README names: these are the first with class static blocks and wasm SIMD.
    target: ["chrome94", "firefox93", "safari16.4"],
    plugins: [glue],
    legalComments: "none",
    ...more,
  })

await Promise.all([
  bundle("index", "index.mjs"),
  bundle("node", "node.mjs", { platform: "node" }),
  bundle("node", "index.cjs", { format: "cjs", platform: "node", inject: ["src/encoders.ts"] }),
  bundle("slim", "slim.mjs"),
  bundle("react", "react.mjs", { external: ["react"] }),
  bundle("react", "react.cjs", { external: ["react"], format: "cjs" }),
])

// Of what browsers download, Terser finds another fortieth to leave out.
for (const file of ["dist/index.mjs", "dist/slim.mjs", "dist/react.mjs"]) {
  const { code } = await minify(readFileSync(file, "utf8"), { module: true, ecma: 2020 })
  writeFileSync(file, code)
}

execFileSync("npx", ["tsc", "-p", "tsconfig.types.json"], { stdio: "inherit" })

/** The declarations that users can reach from the entries; the rest describe the inside. */
const reachable = new Set()
const visit = (file) => {
  if (!reachable.has(file)) {
    reachable.add(file)
    for (const [, path] of readFileSync(file, "utf8").matchAll(/(?:from|import\()\s*"(\.[^"]+)\.js"/g)) {
      visit(join(dirname(file), `${path}.d.ts`))
    }
  }
}
for (const entry of ["index", "slim", "react"]) {
  visit(`dist/${entry}.d.ts`)
}
for (const name of readdirSync("dist").filter((name) => name.endsWith(".d.ts"))) {
  const file = join("dist", name)
  if (!reachable.has(file)) {
    rmSync(file)
    continue
  }
  const text = readFileSync(file, "utf8")
  // CommonJS users get declarations of their own, since TypeScript takes .d.ts here for those of ES modules.
  writeFileSync(file.replace(/\.d\.ts$/, ".d.cts"), text.replaceAll(/"(\.[^"]+)\.js"/g, '"$1.cjs"'))
}
