import { Program, programFromEnv } from "./process.ts"
import type { Scene } from "./scenario.ts"

/** One line of the bot's `--json` output. */
export interface BotEvent {
  event: string
  key?: string
  [field: string]: unknown
}

/** The native bot, watching a room. */
export class Bot {
  readonly #program: Program

  constructor(scene: Scene, room: string, userId = "bot") {
    const binary = programFromEnv("PRESENCE_BOT_BIN", "cargo build -p presence-bot")
    this.#program = new Program("the bot", binary, [
      "watch",
      scene.server.socketUrl,
      room,
      "--user-id",
      userId,
      "--json",
    ])
    scene.atEnd(() => this.#program.kill())
  }

  get events(): BotEvent[] {
    return this.#program.lines.map((line) => JSON.parse(line) as BotEvent)
  }

  /** Waits for an event, counting from the given number of events on. */
  async until(event: string, key?: string, from = 0): Promise<BotEvent> {
    const what = key === undefined ? event : `${event} of ${key}`
    return this.#program.until(what, () =>
      this.events.slice(from).find((line) => line.event === event && (key === undefined || line.key === key)),
    )
  }

  /** Leaves at once, as a killed program does. */
  async kill(): Promise<void> {
    await this.#program.kill()
  }
}
