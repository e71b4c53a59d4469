// Binary frames: a kind, the lengths of the strings, the strings, the data. Read and written here and not by the core,
// which would cost a kilobyte to download and a copy of the data; the tests hold it to phoenix.js's serializer.

import { EVENTS } from "./constants.js"
import type { Message } from "./frame.js"

const PUSH = 0
const REPLY = 1
const BROADCAST = 2

const encoder = /* @__PURE__ */ new TextEncoder()
const decoder = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** The binary frame of a push. */
export const encodeBinary = (
  join_ref: string | null | undefined,
  ref: string | null | undefined,
  topic: string,
  event: string,
  data: ArrayBuffer,
): ArrayBuffer => {
  const fields = Object.entries({ join_ref, ref, topic, event }).map(([name, text]) => {
    const bytes = encoder.encode(text ?? "")
    if (bytes.length > 255) {
      throw new Error(`${name} is ${bytes.length} bytes long, and a binary frame has room for 255`)
    }
    return bytes
  })
  const parts = [[PUSH], fields.map((bytes) => bytes.length), ...fields, new Uint8Array(data)]
  const frame = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    frame.set(part, at)
    at += part.length
  }
  return frame.buffer
}

/** The strings of each kind of frame, in their order. */
const FIELDS: (keyof Message | "status")[][] = []
FIELDS[PUSH] = ["join_ref", "topic", "event"]
FIELDS[REPLY] = ["join_ref", "ref", "topic", "status"]
FIELDS[BROADCAST] = ["topic", "event"]

/** The message of a binary frame. */
export const decodeBinary = (frame: ArrayBuffer): Message => {
  const bytes = new Uint8Array(frame)
  const names = FIELDS[bytes[0]]
  if (names === undefined) {
    throw malformed(bytes.length === 0 ? "it ends within the kind" : `unknown kind ${bytes[0]}`)
  }
  let at = 1 + names.length
  if (at > bytes.length) {
    throw malformed("it ends within the header")
  }
  const fields: Record<string, string> = {}
  for (const [index, name] of names.entries()) {
    const end = at + bytes[1 + index]
    if (end > bytes.length) {
      throw malformed(`it ends within the ${name}`)
    }
    try {
      fields[name] = decoder.decode(bytes.subarray(at, end))
    } catch {
      throw malformed(`the ${name} is not valid UTF-8`)
    }
    at = end
  }
  const { join_ref, ref, topic, event = EVENTS.reply, status } = fields
  const data = frame.slice(at)
  return {
    join_ref: join_ref || null,
    ref: ref || null,
    topic,
    event,
    payload: status === undefined ? data : { status, response: data },
  }
}

const malformed = (why: string): Error => new Error(`malformed binary frame: ${why}`)
