// Takes the README's picture: `node test/browser/screenshot.mjs`, with PRESENCE_SERVER_BIN as for the tests.
import { startVitest } from "vitest/node"

const vitest = await startVitest("test", [], {
  config: new URL("vitest.config.ts", import.meta.url).pathname,
  include: ["screenshot.ts"],
  watch: false,
})
await vitest.close()
