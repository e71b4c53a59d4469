import { fileURLToPath } from "node:url"
import { Program, programFromEnv } from "./process.ts"

const PAGE =
  process.env.PRESENCE_PAGE_DIR ?? fileURLToPath(new URL("../../../../examples/web/dist", import.meta.url))

/** The embedded server, serving the built page or another folder. */
export class Server {
  readonly #binary = programFromEnv("PRESENCE_SERVER_BIN", "cargo build -p presence-server")
  #program: Program | undefined
  #port = 0

  constructor(readonly folder = PAGE) {}

  /** Starts on any free port; after `kill`, on the port it had. */
  async start(): Promise<void> {
    this.#program = new Program("the server", this.#binary, [
      "--port",
      String(this.#port),
      "--serve-dir",
      this.folder,
    ])
    const port = await this.#program.until(
      "the address it listens on",
      (lines) => lines[0]?.match(/:(\d+)\/?$/)?.[1],
    )
    this.#port = Number(port)
  }

  async kill(): Promise<void> {
    await this.#program?.kill()
    this.#program = undefined
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get socketUrl(): string {
    return `ws://127.0.0.1:${this.#port}/socket`
  }

  get log(): string {
    return this.#program ? [...this.#program.lines, this.#program.errors].join("\n") : ""
  }
}
