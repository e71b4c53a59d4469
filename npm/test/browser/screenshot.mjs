// Takes the README's picture: `node test/browser/screenshot.mjs`, with PRESENCE_SERVER_BIN as for the tests, and
// with the bot in it where PRESENCE_BOT_BIN is set. Needs `pngquant` (Debian: `apt-get install pngquant`).
import { startVitest } from "vitest/node"

const vitest = await startVitest("test", [], {
  config: new URL("vitest.config.ts", import.meta.url).pathname,
  include: ["screenshot.ts"],
  watch: false,
})
await vitest.close()
