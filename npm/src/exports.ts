// What every entry has.

export { type Callback, Channel } from "./channel.js"
export type { ChannelState } from "./constants.js"
export { LongPoll } from "./longpoll.js"
export type * from "./names.js"
export type { SocketOptions } from "./options.js"
export { Presence, type PresenceOptions } from "./presence.js"
export { type Push, PushError } from "./push.js"
export { Serializer } from "./serializer.js"
export { Socket } from "./socket.js"
export type * from "./types.js"
