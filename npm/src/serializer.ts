import { decodeBinary, encodeBinary } from "./binary.js"
import type { Message } from "./frame.js"

/** A message to send: its refs may be left out. */
export type Outgoing = Omit<Message, "join_ref" | "ref"> & { join_ref?: any; ref?: any }

/** Between messages and frames: JSON arrays as text, `ArrayBuffer` payloads as binary frames. */
export const Serializer = {
  encode<T>(message: Outgoing, callback: (frame: string | ArrayBuffer) => T): T {
    const { join_ref, ref, topic, event, payload } = message
    if (payload.constructor === ArrayBuffer) {
      return callback(encodeBinary(join_ref, ref, topic, event, payload))
    }
    return callback(JSON.stringify([join_ref, ref, topic, event, payload]))
  },

  decode<T>(frame: string | ArrayBuffer, callback: (message: Message) => T): T {
    if (typeof frame !== "string") {
      return callback(decodeBinary(frame))
    }
    const [join_ref, ref, topic, event, payload] = JSON.parse(frame)
    return callback({ join_ref, ref, topic, event, payload })
  },
}

/** The object format of vsn 1.0.0, which has no join_ref. */
export const SerializerV1 = {
  encode<T>({ topic, event, payload, ref }: Outgoing, callback: (frame: string) => T): T {
    return callback(JSON.stringify({ topic, event, payload, ref }))
  },

  decode<T>(frame: string, callback: (message: Message) => T): T {
    const { topic, event, payload, ref, join_ref = null } = JSON.parse(frame)
    return callback({ join_ref, ref, topic, event, payload })
  },
}
