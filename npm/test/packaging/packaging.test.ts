// What users install is what is tested: the packed tarball, in their tools.

import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { describe, expect, it } from "vitest"
import {
  firstLine,
  html,
  NPM,
  program,
  project,
  run,
  serve,
  succeed,
  TOOLS,
  tarball,
  WORKS,
  withPackage,
} from "./project.ts"

withPackage()

/**
 * What the default entry may weigh, gzipped, in bytes. The aim is 48 KiB; this is how far the wasm has come, and is
 * lowered with it.
 */
const BUDGET = 62.25 * 1024

const DIST = "node_modules/phoenix-presence/dist"
const imports = `import { Socket, Presence } from "phoenix-presence"\n`
const slim = `import { init, Socket, Presence } from "phoenix-presence/slim"\n`

describe("the tarball", () => {
  it("is clean to publint", async () => {
    expect(await run(NPM, join(TOOLS, "node_modules/.bin/publint"), "--strict", tarball)).toContain(
      "All good!",
    )
  })

  it("has types that are right, to are-the-types-wrong", async () => {
    // It exits with an error if something is wrong. There are no types to a wasm file, and slim is for ES modules alone.
    await succeed(
      NPM,
      join(TOOLS, "node_modules/.bin/attw"),
      tarball,
      "--exclude-entrypoints=presence.wasm",
      "--ignore-rules=cjs-resolves-to-esm",
    )
  })

  it("has the licences, and of the project's README the chapters on JavaScript, whose links lead into it", () => {
    const folder = join(project("papers", {}), "node_modules/phoenix-presence")
    const files = readdirSync(folder)
    expect(files).toEqual(expect.arrayContaining(["COMPATIBILITY.md", "LICENSE-APACHE", "LICENSE-MIT"]))
    const chapters = (readme: string) => readme.trim().split(/\n+(?=## )/)
    const readme = readFileSync(join(folder, "README.md"), "utf8")
    const [head, ...others] = chapters(readme)
    const whole = readFileSync(join(NPM, "../README.md"), "utf8")
    expect(whole.startsWith(`${head}\n\n![`)).toBe(true)
    const wanted = ["## In JavaScript", "## Where it differs from phoenix.js", "## Licence"]
    const same = chapters(whole.replaceAll("](npm/", "](")).filter((chapter) =>
      wanted.includes(chapter.split("\n")[0]),
    )
    expect(others).toEqual(same)
    expect(others).toHaveLength(wanted.length)
    const links = Array.from(readme.matchAll(/\]\(([^)#:]+)\)/g), ([, file]) => file)
    expect(files).toEqual(expect.arrayContaining(links))
    // An error message points to it.
    expect(readme).toContain("### Without WebAssembly")
  })

  it("has one wasm, and within its budget", () => {
    const folder = project("contents", {})
    const files = readdirSync(join(folder, DIST))
    expect(files.filter((file) => file.endsWith(".wasm"))).toEqual(["presence.wasm"])
    const gzipped = (file: string) => gzipSync(readFileSync(join(folder, DIST, file)), { level: 9 }).length
    const sizes = Object.fromEntries(
      ["index.mjs", "slim.mjs", "react.mjs", "presence.wasm"].map((file) => [file, gzipped(file)]),
    )
    console.log(sizes)
    expect(sizes["index.mjs"], "the default entry, gzipped").toBeLessThanOrEqual(BUDGET)
  })
})

describe("Node", () => {
  it("imports it", async () => {
    const folder = project("esm", { "main.mjs": imports + program })
    expect(await run(folder, "node", "main.mjs")).toBe(WORKS)
  })

  it("requires it", async () => {
    const main = `const { Socket, Presence } = require("phoenix-presence")\n${program}`
    const folder = project("cjs", { "main.cjs": main })
    expect(await run(folder, "node", "main.cjs")).toBe(WORKS)
  })

  it("requires it where there is no TextEncoder, as in jest's jsdom", async () => {
    const without = "delete globalThis.TextDecoder\ndelete globalThis.TextEncoder\n"
    const main = `${without}const { Socket, Presence } = require("phoenix-presence")\n${program}`
    const folder = project("cjs-jsdom", { "main.cjs": main })
    expect(await run(folder, "node", "main.cjs")).toBe(WORKS)
  })

  it("imports it slim", async () => {
    const folder = project("esm-slim", { "main.mjs": `${slim}await init()\n${program}` })
    expect(await run(folder, "node", "main.mjs")).toBe(WORKS)
  })

  it("says to await init() where that was forgotten", async () => {
    const folder = project("esm-early", { "main.mjs": slim + program })
    expect(await run(folder, "node", "main.mjs")).toContain("await init() first")
  })

  it("renders on the server, without touching WebAssembly", async () => {
    const folder = project("ssr", {
      "main.mjs": `
        delete globalThis.WebAssembly
        const { Socket } = await import("phoenix-presence")
        const { usePresence, useChannel, useSocket } = await import("phoenix-presence/react")
        const { renderToString } = await import("react-dom/server")
        const { createElement } = await import("react")
        const Room = () => {
          const channel = useChannel(useSocket(() => new Socket("/socket")), "room:1")
          return createElement("p", null, usePresence(channel, (presence) => presence.size), " here")
        }
        console.log(renderToString(createElement(Room)))
        try {
          new Socket("/socket")
        } catch (error) {
          console.log(error.message)
        }
      `,
    })
    const [page, error] = (await run(folder, "node", "main.mjs")).split("\n")
    expect(page).toBe("<p>0<!-- --> here</p>")
    expect(error).toMatch(/^phoenix-presence needs WebAssembly/)
  })

  it.each([
    ["typescript", "cts"],
    ["typescript", "mts"],
    ["typescript-5.0", "cts"],
    ["typescript-5.0", "mts"],
  ])("has types that %s takes, in a .%s file", async (typescript, extension) => {
    const folder = project(`${typescript}-${extension}`, {
      [`main.${extension}`]: `
        import { Presence, PushError, Socket, type PresenceChange } from "phoenix-presence"
        const socket = new Socket("/socket", { params: { user_id: "1" } })
        const presence = new Presence<{ name: string }>(socket.channel("room:1"))
        const names: string[] = presence.list((_id, { metas }) => metas[0].name)
        presence.subscribe((changes: PresenceChange<{ name: string }>[]) => changes[0].key.length)
        // @ts-expect-error the name is a string
        const wrong: number = presence.get("a")!.metas[0].name
        export const all = [names, wrong, PushError]
      `,
      "tsconfig.json": JSON.stringify({
        compilerOptions: {
          module: "node16",
          target: "es2020",
          lib: ["es2020", "dom"],
          strict: true,
          exactOptionalPropertyTypes: true,
          noEmit: true,
          types: [],
        },
      }),
    })
    expect(await run(folder, join(TOOLS, "node_modules", typescript, "bin/tsc"), "-p", ".")).toBe("")
  })
})

describe("bundlers", () => {
  const entry = { "main.js": imports + program, "index.html": html("/main.js") }
  const tool = (name: string) => import(`${TOOLS}/node_modules/${name}`)

  it("Vite serves it", async () => {
    const root = project("vite-dev", entry)
    const { createServer } = await tool("vite/dist/node/index.js")
    const server = await createServer({
      root,
      configFile: false,
      logLevel: "error",
      server: { port: 0, host: "127.0.0.1" },
    })
    await server.listen()
    try {
      expect(await firstLine(`http://127.0.0.1:${server.httpServer.address().port}/`)).toBe(WORKS)
    } finally {
      await server.close()
    }
  })

  it("Vite builds it", async () => {
    const root = project("vite-build", entry)
    const { build } = await tool("vite/dist/node/index.js")
    await build({ root, configFile: false, logLevel: "error" })
    expect(await serve(join(root, "dist"), {}, firstLine)).toBe(WORKS)
  })

  it("Vite builds it slim", async () => {
    const root = project("vite-slim", {
      ...entry,
      "main.js": `${slim}import url from "phoenix-presence/presence.wasm?url"\nawait init(url)\n${program}`,
    })
    const { build } = await tool("vite/dist/node/index.js")
    await build({ root, configFile: false, logLevel: "error", build: { target: "es2022" } })
    expect(await serve(join(root, "dist"), {}, firstLine)).toBe(WORKS)
  })

  it.each([
    ["webpack builds it", imports + program],
    [
      "webpack builds it where it is required",
      `const { Socket, Presence } = require("phoenix-presence")\n${program}`,
    ],
    ["webpack builds it slim", `${slim}init().then(() => { ${program} })`],
  ])("%s", async (name, source) => {
    const root = project(name.replaceAll(" ", "-"), {
      "main.js": source,
      "dist/index.html": html("/main.js"),
    })
    const { default: webpack } = await tool("webpack/lib/index.js")
    const stats: any = await new Promise((resolve, reject) =>
      webpack(
        {
          mode: "production",
          context: root,
          entry: "./main.js",
          output: { path: join(root, "dist"), filename: "main.js" },
          module: { rules: [{ test: /main\.js$/, type: "javascript/auto" }] },
          performance: { hints: false },
        },
        (error: unknown, stats: unknown) => (error ? reject(error) : resolve(stats)),
      ),
    )
    expect(stats.toJson({ errors: true, warnings: true })).toMatchObject({ errors: [], warnings: [] })
    expect(await serve(join(root, "dist"), {}, firstLine)).toBe(WORKS)
  })

  it("esbuild builds it", async () => {
    const root = project("esbuild", { "main.js": imports + program, "dist/index.html": html("/main.js") })
    const { build } = await tool("esbuild/lib/main.js")
    await build({
      entryPoints: [join(root, "main.js")],
      bundle: true,
      outdir: join(root, "dist"),
      logLevel: "error",
    })
    expect(await serve(join(root, "dist"), {}, firstLine)).toBe(WORKS)
  })

  // Some take for Node what Node itself would, and esbuild does where it is given conditions.
  it.each(["mjs", "cjs"])(
    "esbuild builds it for Node, in a .%s file that runs elsewhere",
    async (extension) => {
      const root = project(`esbuild-${extension}`, {
        "main.mjs": imports + program,
        "main.cjs": `const { Socket, Presence } = require("phoenix-presence")\n${program}`,
      })
      const { build } = await tool("esbuild/lib/main.js")
      await build({
        entryPoints: [join(root, `main.${extension}`)],
        bundle: true,
        platform: "node",
        conditions: ["production"],
        format: extension === "mjs" ? "esm" : "cjs",
        outfile: join(root, `dist/main.${extension}`),
        logLevel: "error",
      })
      expect(await run(root, "node", `dist/main.${extension}`)).toBe(WORKS)
    },
  )
})

describe("a page without a bundler", () => {
  const plain = (source: string) =>
    source.replace(/"phoenix-presence(\/slim)?"/, (_, sub) => `"/${DIST}/${sub ? "slim" : "index"}.mjs"`)

  it("imports it", async () => {
    const root = project("plain", { "main.js": plain(imports + program), "index.html": html("/main.js") })
    expect(await serve(root, {}, firstLine)).toBe(WORKS)
  })

  it("streams it slim", async () => {
    const main = plain(`${slim}await init()\n${program}`)
    const root = project("plain-slim", { "main.js": main, "index.html": html("/main.js") })
    expect(await serve(root, {}, firstLine)).toBe(WORKS)
  })

  it("is told which header is missing where its policy forbids WebAssembly", async () => {
    const root = project("csp", { "main.js": plain(imports + program), "index.html": html("/main.js") })
    const policy = (script: string) => ({ "content-security-policy": `script-src ${script}` })
    expect(await serve(root, policy("'self'"), firstLine)).toContain("script-src 'wasm-unsafe-eval'")
    expect(await serve(root, policy("'self' 'wasm-unsafe-eval'"), firstLine)).toBe(WORKS)
  })
})
