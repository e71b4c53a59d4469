import { once } from "node:events"
import { WebSocket } from "ws"
import type { Scene } from "./scenario.ts"

/** Many people in a room over one plain WebSocket that tracks a key for each. */
export class Crowd {
  readonly #socket: WebSocket
  readonly #topic: string
  #ref = 1
  readonly #answers = new Map<string, (status: string) => void>()

  private constructor(socket: WebSocket, topic: string) {
    this.#socket = socket
    this.#topic = topic
    socket.on("message", (data: unknown) => {
      const [, ref, , event, payload] = JSON.parse(String(data))
      if (event === "phx_reply") this.#answers.get(ref)?.(payload.status)
    })
  }

  static async enter(scene: Scene, topic: string): Promise<Crowd> {
    const socket = new WebSocket(`${scene.server.socketUrl}/websocket?vsn=2.0.0&user_id=crowd`)
    scene.atEnd(async () => socket.terminate())
    await once(socket, "open")
    const crowd = new Crowd(socket, topic)
    await crowd.#push("phx_join", { order: "observe" })
    return crowd
  }

  async join(...keys: string[]): Promise<void> {
    await Promise.all(keys.map((key) => this.#push("track", { key, meta: { from: "crowd" } })))
  }

  async leave(...keys: string[]): Promise<void> {
    await Promise.all(keys.map((key) => this.#push("untrack", { key })))
  }

  /** The connection breaks, and everybody is gone in one diff. */
  vanish(): void {
    this.#socket.terminate()
  }

  #push(event: string, payload: object): Promise<void> {
    const ref = String(this.#ref++)
    return new Promise((resolve, reject) => {
      this.#answers.set(ref, (status) => {
        this.#answers.delete(ref)
        if (status === "ok") resolve()
        else reject(new Error(`${event} got ${status}`))
      })
      this.#socket.send(JSON.stringify(["1", ref, this.#topic, event, payload]))
    })
  }
}
