import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Browser, BrowserContextOptions } from "playwright-core"
import { afterAll, beforeAll, expect, test } from "vitest"
import { launchChromium } from "./browser.ts"
import { Server } from "./server.ts"
import { Visitor } from "./visitor.ts"

const RESULTS = join(import.meta.dirname, "..", ".results")

let browser: Browser | undefined

/**
 * A test with a server of its own, to which visitors come. What they saw is kept if it fails.
 * `folder` gives what the server serves instead of the page, once the hooks before the tests have run.
 */
export function scenario(name: string, run: (scene: Scene) => Promise<void>, folder?: () => string): void {
  test(name, async () => {
    const scene = await Scene.open(folder?.())
    try {
      await run(scene)
      expect(scene.crashes).toEqual([])
    } catch (error) {
      await scene.keepEvidence(name)
      throw error
    } finally {
      await scene.close()
    }
  })
}

/** Starts the one browser that all scenarios of a file share. */
export function withBrowser(): void {
  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser?.close()
  })
}

export class Scene {
  readonly server: Server
  readonly visitors: Visitor[] = []
  readonly #cleanups: (() => Promise<void>)[] = []

  private constructor(folder?: string) {
    this.server = new Server(folder)
  }

  static async open(folder?: string): Promise<Scene> {
    const scene = new Scene(folder)
    await scene.server.start()
    return scene
  }

  /**
   * Somebody opens the page: a browser context of their own, nothing shared with the others.
   * `at` is where they come in, if not at the server itself.
   */
  async enter(
    userId: string,
    query: Record<string, string> = {},
    { at = this.server.url, ...options }: BrowserContextOptions & { at?: string } = {},
  ): Promise<Visitor> {
    if (!browser) throw new Error("call withBrowser() at the top of the file")
    const context = await browser.newContext(options)
    const page = await context.newPage()
    const visitor = new Visitor(userId, context, page)
    this.visitors.push(visitor)
    await page.goto(`${at}/?${new URLSearchParams({ user_id: userId, ...query })}`)
    return visitor
  }

  /** The same person opens the page again, in a second tab of the same browser. */
  async enterAgain(visitor: Visitor): Promise<Visitor> {
    const page = await visitor.context.newPage()
    const second = new Visitor(visitor.name, visitor.context, page)
    this.visitors.push(second)
    await page.goto(visitor.page.url())
    return second
  }

  atEnd(cleanup: () => Promise<void>): void {
    this.#cleanups.push(cleanup)
  }

  get crashes(): string[] {
    return this.visitors.flatMap((visitor) => visitor.crashes)
  }

  async keepEvidence(name: string): Promise<void> {
    mkdirSync(RESULTS, { recursive: true })
    const stem = join(RESULTS, name.toLowerCase().replace(/[^a-z0-9]+/g, "-"))
    const notes = [`server:\n${this.server.log}`]
    for (const [index, { name: who, page, console, crashes }] of this.visitors.entries()) {
      notes.push(`\n${index} ${who}:\n${[...console, ...crashes].join("\n")}`)
      if (!page.isClosed()) await page.screenshot({ path: `${stem}-${index}.png` })
    }
    writeFileSync(`${stem}.log`, notes.join("\n"))
  }

  async close(): Promise<void> {
    for (const cleanup of this.#cleanups) await cleanup()
    for (const context of new Set(this.visitors.map((visitor) => visitor.context))) await context.close()
    await this.server.kill()
  }
}
