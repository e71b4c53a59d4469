import { type Channel, Socket } from "phoenix-presence"
import { useChannel, usePresence, useSocket } from "phoenix-presence/react"
import { memo, useLayoutEffect, useRef } from "react"

/** The connection and the room, for as long as it is on the page. */
export const Room = ({ userId }: { userId: string }) => {
  const socket = useSocket(() => new Socket("/socket", { params: { user_id: userId } }), [userId])
  const channel = useChannel(socket, "room:lobby")
  return (
    <>
      <form action={(form) => void channel?.push("set_status", { status: form.get("status") })}>
        <input name="status" aria-label="Your status" data-testid="status-input" />
        <button type="submit" data-testid="status-save">Set</button>
      </form>
      <People channel={channel} />
    </>
  )
}

/** Renders anew when somebody comes or goes, and not for what the people do meanwhile. */
const People = ({ channel }: { channel: Channel | null }) => {
  const ids = usePresence(channel, (presence) => presence.list((id) => id))
  return (
    <ul>
      {ids.map((id) => (
        <Person key={id} id={id} channel={channel} />
      ))}
    </ul>
  )
}

/** Renders anew when this person's presence changes, as its selector sees; `memo` keeps it from doing so with the list. */
const Person = memo(({ id, channel }: { id: string; channel: Channel | null }) => {
  const metas = usePresence(channel, (presence) => presence.get(id)?.metas) ?? []
  const row = useRef<HTMLLIElement>(null)
  const renders = useRef(0)
  // Runs after each render. The count is no state, which would render once more.
  useLayoutEffect(() => {
    renders.current += 1
    row.current!.dataset.renders = String(renders.current)
  })
  return (
    <li ref={row} data-testid="person" data-key={id}>
      <strong>{id}</strong>
      <span data-testid="status">{metas[0]?.status}</span>
      <span data-testid="device-count" data-count={metas.length}>
        {metas.length === 1 ? "one device" : `${metas.length} devices`}
      </span>
    </li>
  )
})
