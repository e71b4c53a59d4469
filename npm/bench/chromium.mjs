// `cargo xtask bench chromium`: the same as in Node, in the browser that CHROMIUM_BIN names.

import { createServer } from "node:http"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { chromium } from "playwright-core"

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL("browser.mjs", import.meta.url))],
  bundle: true,
  format: "iife",
  globalName: "bench",
  write: false,
})

// Only an isolated page has a clock fine enough for this.
const headers = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" }
const server = createServer((_request, response) => {
  response.writeHead(200, { ...headers, "content-type": "text/html" })
  response.end("<!doctype html><title>bench</title>")
})
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_BIN,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--js-flags=--expose-gc"],
})
try {
  const page = await browser.newPage()
  page.on("console", (message) => console.log(message.text()))
  await page.goto(`http://127.0.0.1:${server.address().port}/`)
  console.log("What each takes, and how many times longer phoenix.js and plain JavaScript do:")
  await page.addScriptTag({ content: outputFiles[0].text })
  await page.evaluate("bench.run()")
} finally {
  await browser.close()
  server.close()
}
