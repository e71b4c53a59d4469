import type { BrowserContext, Page } from "playwright-core"
import { expect } from "vitest"
import { PATIENCE } from "./process.ts"

/** How many devices each person has, as the page shows it. */
export type Roster = Record<string, number>

/** One tab of the page, seen through what it shows. */
export class Visitor {
  /** Uncaught errors of the page: there must be none. */
  readonly crashes: string[] = []
  readonly console: string[] = []
  /** Of each WebSocket that the page opened: the events that it sent, and whether it is open still. */
  readonly sockets: { events: string[]; isOpen: boolean }[] = []

  constructor(
    readonly name: string,
    readonly context: BrowserContext,
    readonly page: Page,
  ) {
    page.setDefaultTimeout(PATIENCE)
    page.on("pageerror", (error) => this.crashes.push(`${name}: ${error.stack ?? error.message}`))
    page.on("console", (message) => this.console.push(`${message.type()}: ${message.text()}`))
    page.on("websocket", (webSocket) => {
      const socket = { events: [] as string[], isOpen: true }
      this.sockets.push(socket)
      webSocket.on("framesent", ({ payload }) => {
        socket.events.push(typeof payload === "string" ? JSON.parse(payload)[3] : "bytes")
      })
      webSocket.on("close", () => {
        socket.isOpen = false
      })
    })
    page.on("dialog", (dialog) => {
      this.crashes.push(`${name}: a dialog said ${dialog.message()}`)
      void dialog.dismiss()
    })
  }

  /** Waits until the page shows this connection state. */
  async untilConnection(state: string): Promise<void> {
    await this.page.locator(`[data-testid=connection][data-state=${state}]`).waitFor()
  }

  /** Waits until the list shows exactly these people and devices; says what it shows instead when it doesn't. */
  async untilRoster(expected: Roster): Promise<void> {
    await expect.poll(() => this.roster()).toEqual(expected)
  }

  async untilStatus(key: string, status: string): Promise<void> {
    await expect.poll(() => this.status(key)).toEqual(status)
  }

  async roster(): Promise<Roster> {
    return this.page.evaluate(() => {
      const rows = [...document.querySelectorAll<HTMLElement>("[data-testid=person]")]
      return Object.fromEntries(
        rows.map((row) => [
          row.dataset.key,
          Number(row.querySelector<HTMLElement>("[data-testid=device-count]")?.dataset.count),
        ]),
      )
    })
  }

  async status(key: string): Promise<string | undefined> {
    return this.page.evaluate((wanted) => {
      const rows = [...document.querySelectorAll<HTMLElement>("[data-testid=person]")]
      const row = rows.find((candidate) => candidate.dataset.key === wanted)
      return row?.querySelector("[data-testid=status]")?.textContent ?? undefined
    }, key)
  }

  async setStatus(status: string): Promise<void> {
    await this.page.getByTestId("status-input").fill(status)
    await this.page.getByTestId("status-save").click()
  }

  async cutConnection(): Promise<void> {
    await this.page.getByTestId("cut").click()
  }

  /** The log's kinds of one person (without a key: of the connection and the first list), oldest first. */
  async log(key?: string): Promise<string[]> {
    return this.page.evaluate((wanted) => {
      const entries = [...document.querySelectorAll<HTMLElement>("[data-testid=log-entry]")]
      return entries
        .filter((entry) => entry.dataset.key === wanted)
        .map((entry) => entry.dataset.kind ?? "")
        .reverse()
    }, key)
  }

  async leave(): Promise<void> {
    await this.page.close()
  }
}
