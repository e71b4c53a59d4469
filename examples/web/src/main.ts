import "@fontsource-variable/figtree/wght.css"
import { Presence, Socket } from "phoenix-presence"
import { Activity } from "./activity"
import { drawAvatar } from "./avatar"
import { StatusComposer } from "./composer"
import { Connection } from "./connection"
import { byId, setText, within } from "./dom"
import { addressFor, describeDevice, inventName, readOptions } from "./identity"
import { ActivityLog } from "./log"
import { PeopleList } from "./people"
import type { Entry } from "./person"
import { displayName, toPerson } from "./person"
import "./style/index.css"

const { userId, topic, endpoint } = readOptions(location, sessionStorage)
const people = new PeopleList(byId("people-list"), within(document, ".count"), userId)
const log = new ActivityLog(byId("log"), userId)
const activity = new Activity()
const notice = byId("notice")

const socket = new Socket(endpoint, { params: { user_id: userId } })
const channel = socket.channel(topic, () => ({
  device: describeDevice(navigator.userAgent),
  ...(composer.status && { status: composer.status }),
}))
const presence = new Presence(channel)

// Who comes and goes.

presence.onJoin((id: string, current: Entry | undefined, joined: Entry) => activity.join(id, current, joined))
presence.onLeave((id: string, current: Entry, left: Entry) => activity.leave(id, current, left))

let arrived = false
presence.onSync(() => {
  const everyone = presence.list((id: string, entry: Entry) => toPerson(id, entry))
  people.render(everyone)
  setText(within(document, "title"), `(${everyone.length}) Who’s online`)
  const mine = everyone.find((person) => person.id === userId)
  drawAvatar(byId("me-avatar"), me, mine?.devices.length ?? 1)

  const happenings = activity.settle()
  // Those who were there before us come as joins too, and are one line together.
  const news = arrived ? happenings : happenings.filter(({ id }) => id === userId)
  if (!arrived) log.arrived(everyone.filter(({ id }) => id !== userId).length)
  for (const happening of news) log.happened(happening)
  arrived = true
})

// The connection.

let cut = false
const connection = new Connection(byId("connection"), (state, awayMs) => {
  people.setStale(state !== "online")
  if (state === "offline") log.connection("offline", "You are offline")
  if (state === "reconnecting")
    log.connection(cut ? "cut" : "lost", cut ? "You cut the connection" : "Connection lost")
  if (state === "online" && awayMs !== undefined) {
    log.connection(
      "back",
      `Back after ${awayMs < 1000 ? `${Math.round(awayMs)} ms` : `${(awayMs / 1000).toFixed(1)} s`}`,
    )
  }
  cut = false
})

function refuse(reason: string): void {
  setText(notice, reason)
  notice.hidden = false
}

socket.onError(() => connection.down())
socket.onClose(() => connection.down())
channel.onError(() => connection.down())
addEventListener("offline", () => connection.down())
// The socket may have outlived the gap; otherwise the library is at it already.
addEventListener("online", () =>
  channel.state === "joined" && socket.isConnected() ? connection.up() : connection.down(),
)

byId("cut").addEventListener("click", () => {
  cut = true
  // Not disconnect(), which stays down: a close that the library did not ask for, as from a lost network.
  socket.conn?.close()
})

// The user.

const me = { id: userId, name: displayName(userId) }
setText(byId("me-name"), me.name)
setText(within(document, ".room"), topic)
setText(byId("library"), __LIBRARY__)
drawAvatar(byId("me-avatar"), me, 1)
byId<HTMLAnchorElement>("second-device").href = addressFor(location, userId)
byId<HTMLAnchorElement>("someone-else").href = addressFor(location, inventName())

const composer = new StatusComposer((status) => {
  channel
    .push("set_status", { status })
    .receive("error", () => refuse("The server did not take that status."))
    .receive("timeout", () => refuse("The server did not answer in time; the status may not be set."))
})

socket.connect()
channel
  .join()
  .receive("ok", () => {
    notice.hidden = true
    connection.up()
  })
  .receive("error", ({ reason }: { reason?: string }) => {
    refuse(`The room does not let you in: ${reason ?? "no reason given"}. Trying again from time to time.`)
  })
