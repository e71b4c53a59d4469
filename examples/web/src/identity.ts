const ADJECTIVES =
  "amber brave bright calm clever gentle happy keen lucky mellow nimble quiet silver sunny swift warm".split(
    " ",
  )
const ANIMALS =
  "badger crane dolphin falcon finch fox hare heron lynx marten otter owl robin seal stork wren".split(" ")

/** What the page's address asks for. */
export interface Options {
  /** `?user_id=`, or a friendly name that stays for as long as the tab does. */
  userId: string
  /** `?room=`: a topic, or what follows `room:`. */
  topic: string
  /** `?server=`: the socket's endpoint, for a page that is served from elsewhere. */
  endpoint: string
}

export function readOptions(location: Location, storage: Storage): Options {
  const query = new URLSearchParams(location.search)
  const room = query.get("room") || "lobby"
  return {
    userId: query.get("user_id") || rememberedName(storage),
    topic: room.startsWith("room:") ? room : `room:${room}`,
    endpoint: query.get("server") || "/socket",
  }
}

/** The same page for another user, everything else unchanged. */
export function addressFor(location: Location, userId: string): string {
  const url = new URL(location.href)
  url.searchParams.set("user_id", userId)
  return url.href
}

export function inventName(): string {
  const [first = 0, second = 0] = crypto.getRandomValues(new Uint32Array(2))
  return `${ADJECTIVES[first % ADJECTIVES.length]}-${ANIMALS[second % ANIMALS.length]}`
}

function rememberedName(storage: Storage): string {
  const known = storage.getItem("user_id")
  if (known) return known
  const invented = inventName()
  storage.setItem("user_id", invented)
  return invented
}

/** "Chrome on Linux": enough to tell one's own devices apart. */
export function describeDevice(agent: string): string {
  const browser = first(agent, [
    ["Edg/", "Edge"],
    ["OPR/", "Opera"],
    ["Firefox/", "Firefox"],
    ["FxiOS/", "Firefox"],
    ["Chrome/", "Chrome"],
    ["CriOS/", "Chrome"],
    ["Safari/", "Safari"],
  ])
  const system = first(agent, [
    ["iPhone", "iPhone"],
    ["iPad", "iPad"],
    ["Android", "Android"],
    ["Windows", "Windows"],
    ["Mac OS X", "Mac"],
    ["CrOS", "ChromeOS"],
    ["Linux", "Linux"],
  ])
  return [browser ?? "Browser", system].filter(Boolean).join(" on ")
}

function first(agent: string, table: [string, string][]): string | undefined {
  return table.find(([mark]) => agent.includes(mark))?.[1]
}
