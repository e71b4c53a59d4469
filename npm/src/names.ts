// What `@types/phoenix` calls things, for programs that import the types by those names.

import type { SocketOptions } from "./options.js"
import type { PresenceOptions } from "./presence.js"
import type { OnJoin, OnLeave } from "./types.js"

export type SocketConnectOption = Required<SocketOptions>
export type BinaryType = SocketConnectOption["binaryType"]
export type MessageRef = string
export type PushStatus = "ok" | "error" | "timeout"
export type PresenceOpts = PresenceOptions
export type PresenceOnJoinCallback = OnJoin
export type PresenceOnLeaveCallback = OnLeave
