// Gives frames to one of the two libraries, and writes down which are taken. phoenix.js has JSON.parse say so, and this
// package its scanner, as long as nobody asks for what is in them.

import * as phoenix from "phoenix"
import * as ours from "phoenix-presence"
import { transports } from "../transport.mjs"

export const play = ({ events }, modelled) => {
  const { Transport, all } = transports()
  const socket = new (modelled ? phoenix : ours).Socket("ws://example.com/socket", { transport: Transport })
  socket.connect()
  all[0].open()
  let taken
  globalThis.reportError = () => {
    taken = false
  }
  try {
    return events.map(({ text }) => {
      taken = true
      try {
        all[0].receive(`[null,null,"room","event",${text}]`)
      } catch {
        taken = false
      }
      return `${taken ? "taken" : "refused"} ${text}`
    })
  } finally {
    socket.disconnect()
    all[0].finishClose(1000, true)
  }
}
