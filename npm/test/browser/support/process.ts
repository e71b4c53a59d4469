import type { ChildProcess } from "node:child_process"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"

/** How long to wait for anything that a process or a page should do, in ms. */
export const PATIENCE = 15_000

/** The path of a program that the environment names, or an error that says how to get it. */
export function programFromEnv(variable: string, build: string): string {
  const path = process.env[variable]
  if (!path) throw new Error(`${variable} is not set: run \`${build}\` and set it to the program's path`)
  return path
}

/** A child process whose standard output is read line by line. */
export class Program {
  readonly lines: string[] = []
  errors = ""
  readonly #child: ChildProcess
  readonly #exit: Promise<unknown>
  readonly #waiting = new Set<() => void>()

  constructor(
    readonly name: string,
    path: string,
    args: string[],
  ) {
    this.#child = spawn(path, args, { stdio: ["ignore", "pipe", "pipe"] })
    this.#exit = once(this.#child, "exit").catch((error: Error) => {
      this.errors += error.message
    })
    void this.#exit.then(() => this.#wake())
    if (this.#child.stdout) {
      createInterface({ input: this.#child.stdout }).on("line", (line) => {
        this.lines.push(line)
        this.#wake()
      })
    }
    this.#child.stderr?.on("data", (data) => {
      this.errors += data
    })
  }

  /** The first result of `find` over the lines so far, waiting for more lines until there is one. */
  async until<T>(what: string, find: (lines: string[]) => T | undefined): Promise<T> {
    const deadline = AbortSignal.timeout(PATIENCE)
    for (;;) {
      const found = find(this.lines)
      if (found !== undefined) return found
      if (deadline.aborted || this.#ended) {
        const why = this.#ended ? "ended before" : "showed nothing within the time limit for"
        throw new Error(`${this.name} ${why}: ${what}\nits lines:\n${this.lines.join("\n")}\n${this.errors}`)
      }
      await this.#change(deadline)
    }
  }

  /** Ends the process at once, as `kill -9` does, and waits until it is gone. */
  async kill(): Promise<void> {
    if (!this.#ended) this.#child.kill("SIGKILL")
    await this.#exit
  }

  get #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  #change(deadline: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake)
        deadline.removeEventListener("abort", wake)
        resolve()
      }
      this.#waiting.add(wake)
      deadline.addEventListener("abort", wake)
    })
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake()
  }
}
