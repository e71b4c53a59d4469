export interface Message {
  join_ref: any
  ref: any
  topic: string
  event: string
  payload: any
}

interface Decoder {
  decode(frame: string, callback: (message: Message) => Message): Message
}

/** A frame that arrived. Its message is decoded when somebody asks for it, and once. */
export class Frame {
  readonly #text: string
  readonly #serializer: Decoder | null
  #message: Message | null

  /** Stands where there is none. */
  static readonly none = new Frame("", null)

  /** The presence event whose payload the engine has applied. */
  engineRead: string | null = null

  constructor(text: string, serializer: Decoder | null, message: Message | null = null) {
    this.#text = text
    this.#serializer = serializer
    this.#message = message
  }

  /** Whether the engine has read the frame, and so its presences' payloads. */
  get byEngine(): boolean {
    return this.#serializer !== null
  }

  get message(): Message {
    this.#message ??= this.#serializer!.decode(this.#text, (message) => message)
    return this.#message
  }
}
