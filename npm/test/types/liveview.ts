// Phoenix LiveView asks for phoenix.js's class by its types, which are those of `@types/phoenix`; nothing here is run.

import type { Channel, Push } from "phoenix"
import { LiveSocket } from "phoenix_live_view"
import { Socket } from "../../dist/index.js"

export const liveSocket = new LiveSocket("/live", Socket, { params: { _csrf_token: "token" } })

const channel: Channel = new Socket("/socket").channel("room:1")
const join: Push = channel.join()
join.receive("ok", () => channel.push("again", {}).resend(1000))
