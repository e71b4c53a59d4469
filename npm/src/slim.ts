// The entry without the wasm, for those who want it streamed and cached: `await init()` before anything else.

import { explain, provide, requireWebAssembly, start } from "./engine.js"

provide(() => {
  throw new Error("phoenix-presence/slim is used before it is initialised: await init() first")
})

export * from "./exports.js"

/** Where the wasm comes from: its URL, a response that brings it, its bytes, or a compiled module. */
export type WasmSource =
  | string
  | URL
  | Request
  | Response
  | PromiseLike<Response>
  | BufferSource
  | WebAssembly.Module

let pending: Promise<void> | undefined

/**
 * Loads and compiles the wasm, once: later calls wait for the first, but for one after a failure, which tries anew.
 * Without a source it is `presence.wasm` beside this module. Where the bundler moves modules and not what is beside
 * them, give the URL of `phoenix-presence/presence.wasm`.
 * @throws Error if it can't be loaded, or WebAssembly is missing or forbidden.
 */
export const init = (source?: WasmSource): Promise<void> => {
  pending ??= load(source).catch((error) => {
    pending = undefined
    throw error
  })
  return pending
}

const load = async (source: WasmSource | undefined): Promise<void> => {
  requireWebAssembly()
  const given = await (source ?? new URL("./presence.wasm", import.meta.url))
  if (typeof given === "string" || given instanceof URL) {
    return start(await compileUrl(given))
  }
  if (typeof Request !== "undefined" && given instanceof Request) {
    return start(await compile(await fetch(given), given.url))
  }
  if (typeof Response !== "undefined" && given instanceof Response) {
    return start(await compile(given, given.url))
  }
  start(given instanceof WebAssembly.Module ? given : await WebAssembly.compile(given as BufferSource))
}

const compileUrl = async (url: string | URL): Promise<WebAssembly.Module | BufferSource> => {
  if (String(url).startsWith("file:")) {
    const node = globalThis.process?.getBuiltinModule?.("node:fs")
    if (node !== undefined) {
      return new Uint8Array(node.readFileSync(new URL(url)))
    }
  }
  return compile(await fetch(url), String(url))
}

const compile = async (response: Response, url: string): Promise<WebAssembly.Module | BufferSource> => {
  const type = response.headers.get("content-type")?.split(";")[0].trim()
  // What serves a page of one application gives that page for whatever it has not.
  const isPage = type === "text/html"
  if (!response.ok || isPage) {
    throw new Error(
      `phoenix-presence/slim cannot load its wasm from ${url}: HTTP ${response.status}${isPage ? `, ${type}` : ""}. ` +
        "Give init() the URL of phoenix-presence/presence.wasm",
    )
  }
  const streams = type === "application/wasm" && typeof WebAssembly.compileStreaming === "function"
  try {
    // Awaited here, so that its error is this function's to explain.
    return await (streams
      ? WebAssembly.compileStreaming(response)
      : WebAssembly.compile(await response.arrayBuffer()))
  } catch (error) {
    throw explain(error)
  }
}
