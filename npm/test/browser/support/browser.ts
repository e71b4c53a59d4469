import { existsSync } from "node:fs"
import { delimiter, join } from "node:path"
import type { Browser } from "playwright-core"
import { chromium } from "playwright-core"

const NAMES = ["chromium", "chromium-browser", "google-chrome"]

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: findChromium(),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  })
}

function findChromium(): string {
  const given = process.env.CHROMIUM_BIN
  if (given) return given
  const folders = (process.env.PATH ?? "").split(delimiter)
  const found = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) =>
    existsSync(path),
  )
  if (!found) throw new Error("no Chromium found: install the `chromium` package or set CHROMIUM_BIN to one")
  return found
}
