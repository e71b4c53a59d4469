// The default entry: the wasm is inlined, so that everything is ready, synchronously, right after the import.

import { provide } from "./engine.js"
import { inlined } from "./inlined.js"

provide(inlined)

export { Channel } from "./channel.js"
export { LongPoll } from "./longpoll.js"
export type { SocketOptions } from "./options.js"
export { Presence, type PresenceOptions } from "./presence.js"
export { type Push, PushError } from "./push.js"
export { Serializer } from "./serializer.js"
export { Socket } from "./socket.js"
