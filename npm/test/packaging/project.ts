// Projects that have nothing but the packed package, as a user installs it.

import { execFile } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { dirname, extname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import type { Browser } from "playwright-core"
import { afterAll, beforeAll } from "vitest"
import { launchChromium } from "../browser/support/browser.ts"

export const NPM = fileURLToPath(new URL("../..", import.meta.url))
/** What the tests bundle with, which is not what the package is built with. */
export const TOOLS = fileURLToPath(new URL(".", import.meta.url))

const exec = promisify(execFile)
const root = mkdtempSync(join(tmpdir(), "presence-packaging-"))
const peers = JSON.parse(readFileSync(join(NPM, "package.json"), "utf8")).devDependencies

/** The tarball that users would get. */
export let tarball = ""
let browser: Browser

/** What runs everywhere: the wasm has to work for it to say so. */
export const program = `
const socket = new Socket("ws://127.0.0.1:9/socket")
const presence = new Presence(socket.channel("room:1"))
const state = Presence.syncState({}, { ann: { metas: [{ phx_ref: "1" }] } })
console.log("works: " + Object.keys(state) + " " + presence.status)
`
export const WORKS = "works: ann syncing"

/** Packs and installs the package, once a file. */
export const withPackage = (): void => {
  beforeAll(async () => {
    const { stdout } = await exec("npm", ["pack", "--json", "--pack-destination", root], { cwd: NPM })
    tarball = join(root, JSON.parse(stdout)[0].filename)
    const fresh = join(root, "fresh")
    mkdirSync(fresh)
    writeFileSync(join(fresh, "package.json"), `{ "name": "fresh", "private": true, "type": "module" }`)
    const { react, "react-dom": dom } = peers
    await exec(
      "npm",
      [
        "install",
        "--prefer-offline",
        "--no-audit",
        "--no-fund",
        tarball,
        `react@${react}`,
        `react-dom@${dom}`,
      ],
      { cwd: fresh },
    )
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser?.close()
    rmSync(root, { recursive: true, force: true })
  })
}

/** A fresh project with these files. */
export const project = (name: string, files: Record<string, string>): string => {
  const folder = join(root, name)
  cpSync(join(root, "fresh"), folder, { recursive: true })
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

/** What a program prints, and its errors too. */
export const run = async (folder: string, command: string, ...args: string[]): Promise<string> => {
  const { stdout, stderr } = await exec(command, args, { cwd: folder }).catch((error) => error)
  return `${stdout}${stderr}`.trim()
}

/** Runs a program that has to succeed; the error of one that does not holds what it printed. */
export const succeed = (folder: string, command: string, ...args: string[]) =>
  exec(command, args, { cwd: folder })

const TYPES: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
}

/** Serves a folder, while `use` runs. */
export const serve = async <T>(
  folder: string,
  headers: Record<string, string>,
  use: (url: string) => Promise<T>,
): Promise<T> => {
  const server = createServer((request, response) => {
    const path = new URL(request.url!, "http://x").pathname.replace(/\/$/, "/index.html")
    try {
      const data = readFileSync(join(folder, path))
      response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "text/plain", ...headers })
      response.end(data)
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

/** The first line that a page logs, or its first error. */
export const firstLine = async (url: string): Promise<string> => {
  const context = await browser.newContext()
  const page = await context.newPage()
  try {
    const said = new Promise<string>((resolve, reject) => {
      page.on("console", (message) => message.type() === "log" && resolve(message.text()))
      page.on("pageerror", (error) => resolve(`${error.name}: ${error.message}`))
      page.on("crash", () => reject(new Error("the page crashed")))
    })
    await page.goto(url)
    return await said
  } finally {
    await context.close()
  }
}

export const html = (script: string): string =>
  `<!doctype html><title>x</title><link rel="icon" href="data:,"><script type="module" src="${script}"></script>`
