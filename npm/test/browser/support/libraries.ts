import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { afterAll, beforeAll } from "vitest"
import { type Scene, scenario } from "./scenario.ts"
import type { Visitor } from "./visitor.ts"

export type Library = "phoenix-presence" | "phoenix.js"

export const LIBRARIES: Library[] = ["phoenix-presence", "phoenix.js"]

const NPM = fileURLToPath(new URL("../../..", import.meta.url))
/** The package's entry as it is published; another one to try what was packed and installed elsewhere. */
const ENTRY = process.env.PRESENCE_PACKAGE_ENTRY ?? join(NPM, "dist/index.mjs")

let folder = ""

/** A page of its own for these tests: both libraries on it, nothing else. Call it once a file. */
export function withLibraries(): void {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "presence-libraries-"))
    await build({
      stdin: {
        contents: `
          import * as ours from ${JSON.stringify(ENTRY)}
          import * as theirs from "phoenix"
          globalThis.libraries = { "phoenix-presence": ours, "phoenix.js": theirs }
          globalThis.clients = {}
        `,
        resolveDir: NPM,
      },
      bundle: true,
      format: "esm",
      outfile: join(folder, "libraries.js"),
      logLevel: "warning",
    })
    writeFileSync(
      join(folder, "index.html"),
      `<!doctype html><title>libraries</title><script type="module" src="/libraries.js"></script>`,
    )
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
}

/** A scenario on the page with the libraries. */
export function libraryScenario(name: string, run: (scene: Scene) => Promise<void>): void {
  scenario(name, run, () => folder)
}

/** What the tests use of either library. */
interface Surface {
  Socket: new (endpoint: string, options: object) => SocketLike
  Presence: new (channel: ChannelLike) => PresenceLike
}

interface SocketLike {
  connect(): void
  isConnected(): boolean
  transport: { name: string }
  conn: WebSocket | null
  channel(topic: string, params: object): ChannelLike
  onOpen(callback: () => void): void
  onClose(callback: () => void): void
}

interface PushLike {
  receive(status: string, callback: (response: unknown) => void): PushLike
}

interface ChannelLike {
  state: string
  join(): PushLike
  on(event: string, callback: (payload: unknown) => void): number
  onError(callback: (reason: unknown) => void): number
  push(event: string, payload: unknown): PushLike
}

interface PresenceLike {
  onSync(callback: () => void): void
  onJoin(callback: (id: string, current: unknown, joined: { metas: unknown[] }) => void): void
  onLeave(callback: (id: string, current: unknown, left: { metas: unknown[] }) => void): void
  list<T>(by: (id: string, presence: { metas: { phx_ref: string }[] }) => T): T[]
}

/** One client on the page, by the name it was given. */
export interface Client {
  socket: SocketLike
  channel: ChannelLike
  presence: PresenceLike
  /** The list at each sync: `["alice 2", …]`, in the order in which the library lists. */
  syncs: string[][]
  /** `joined`, `error`, `open` and `close`, as they came. */
  events: string[]
}

declare global {
  var libraries: Record<Library, Surface>
  var clients: Record<string, Client>
}

export interface ClientOptions {
  library: Library
  name: string
  userId?: string
  room?: string
  socket?: object
}

/** Makes a client on the page and joins; `globalThis.clients[name]` is there when this returns. */
export async function connect({ page }: Visitor, options: ClientOptions): Promise<void> {
  await page.waitForFunction(() => "libraries" in globalThis)
  await page.evaluate(({ library, name, userId, room, socket: more }) => {
    const { Socket, Presence } = globalThis.libraries[library]
    const socket = new Socket("/socket", { params: { user_id: userId ?? name }, ...more })
    const channel = socket.channel(room ?? "room:lobby", {})
    const presence = new Presence(channel)
    const client: Client = { socket, channel, presence, syncs: [], events: [] }
    globalThis.clients[name] = client
    socket.onOpen(() => client.events.push("open"))
    socket.onClose(() => client.events.push("close"))
    channel.onError(() => client.events.push("error"))
    presence.onSync(() => {
      client.syncs.push(presence.list((id, { metas }) => `${id} ${metas.length}`))
    })
    socket.connect()
    channel.join().receive("ok", () => client.events.push("joined"))
  }, options)
}

export async function syncs({ page }: Visitor, name: string): Promise<string[][]> {
  return page.evaluate((client) => globalThis.clients[client]?.syncs ?? [], name)
}

/** What the client lists at the moment, sorted. */
export async function roster({ page }: Visitor, name: string): Promise<string[]> {
  return page.evaluate(
    (client) =>
      globalThis.clients[client]?.presence.list((id, { metas }) => `${id} ${metas.length}`).sort() ?? [],
    name,
  )
}

export async function events({ page }: Visitor, name: string): Promise<string[]> {
  return page.evaluate((client) => globalThis.clients[client]?.events ?? [], name)
}
