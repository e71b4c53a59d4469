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

  /** The presence event whose payload the engine has read itself. */
  engineRead: string | null = null

  constructor(decode: (() => Message) | null, message?: Message) {
    this.#decode = decode
    this.#message = message
  }

  get message(): Message {
    if (this.#decode !== null) {
      this.#message = this.#decode()
      this.#decode = null
    }
    return this.#message!
  }
}
