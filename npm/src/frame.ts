export interface Message {
  join_ref: any
  ref: any
  topic: string
  event: string
  payload: any
}

/** A frame that arrived. Its message is decoded when somebody asks for it, and once. */
export class Frame {
  #decode: (() => Message) | null
  #message: Message | undefined

  /** Whether the engine has read the frame, and so its presences' payloads. */
  readonly byEngine: boolean
  /** The presence event whose payload the engine has applied. */
  engineRead: string | null = null

  constructor(decode: (() => Message) | null, message?: Message) {
    this.#decode = decode
    this.#message = message
    this.byEngine = decode !== null
  }

  get message(): Message {
    if (this.#decode !== null) {
      this.#message = this.#decode()
      this.#decode = null
    }
    return this.#message!
  }
}
