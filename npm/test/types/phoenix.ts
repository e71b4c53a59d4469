// What a program that was written for `@types/phoenix` says, checked by `tsc -p test/types`; nothing here is run.

import {
  type BinaryType,
  Channel,
  type ConnectionState,
  LongPoll,
  type MessageRef,
  Presence,
  type PresenceOnJoinCallback,
  type PresenceOnLeaveCallback,
  type PresenceOpts,
  type Push,
  type PushStatus,
  Socket,
  type SocketConnectOption,
} from "../../dist/index.js"

const binaryType: BinaryType = "arraybuffer"
const options: Partial<SocketConnectOption> = {
  binaryType,
  params: { token: "t" },
  logger: (kind: string, message: string, data: any) => console.log(kind, message, data),
  encode: (payload: object, callback: (encoded: any) => void) => callback(JSON.stringify(payload)),
  decode: (payload: string, callback: (decoded: any) => void) => callback(JSON.parse(payload)),
  sessionStorage: window.sessionStorage,
}
const socket = new Socket("/socket", options)
const opened: MessageRef = socket.onOpen(async () => {})
socket.onError((error: Event | string | number, _transport: new (endPoint: string) => object) => error)
socket.onMessage((message: object) => message)
socket.off([opened])
socket.replaceTransport(LongPoll)
socket.push({ topic: "phoenix", event: "heartbeat", payload: {}, ref: socket.makeRef() })
socket.remove(socket.channel("room:2"))
export const state: ConnectionState = socket.connectionState()

const channel = new Channel("room:1", {}, socket)
channel.on("message", ({ body }: { body: string }) => body)
channel.onMessage = (_event: string, payload: any, _ref: any) => payload
export class Loud extends Channel {
  override onMessage(event: string, payload: any, _ref: any) {
    console.log(event)
    return payload
  }
}
const statuses: PushStatus[] = ["ok", "error", "timeout"]
const push: Push = channel.push("message", { body: "hello" })
for (const status of statuses) {
  push.receive(status, (response?: any) => response)
}

const presenceOptions: PresenceOpts = { events: { state: "state", diff: "diff" } }
const presence = new Presence(channel, presenceOptions)
const onJoin: PresenceOnJoinCallback = (key, current, joined) => [key, current?.metas, joined.metas]
const onLeave: PresenceOnLeaveCallback = (key?: string, current?: any, left?: any) => [key, current, left]
presence.onJoin(onJoin)
presence.onLeave(onLeave)
let presences: object = {}
presences = Presence.syncState(presences, {}, onJoin, onLeave)
presences = Presence.syncDiff(presences, { joins: {}, leaves: {} }, onJoin, onLeave)
export const names: string[] = Presence.list<string>(presences, (name, _presence) => name)
export const everybody: any[] = Presence.list(presences)
