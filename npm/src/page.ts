// What the page tells sockets. Sockets are held weakly, so that a forgotten one can go.

interface Watcher {
  handlePage(what: "visibility" | "hide" | "show" | "online"): void
}

const watchers = /* @__PURE__ */ new Set<WeakRef<Watcher>>()
let watched: unknown
/** As soon as there are so many, those that are gone are looked for. */
let enough = 64

const tell = (what: "visibility" | "hide" | "show" | "online"): void => {
  for (const weak of [...watchers]) {
    const watcher = weak.deref()
    if (watcher === undefined) {
      watchers.delete(weak)
    } else {
      watcher.handlePage(what)
    }
  }
}

/** Tells `watcher` from now on of what happens to the page, where there is one. */
export const watch = (watcher: Watcher): void => {
  if (typeof window === "undefined" || !window.addEventListener) {
    return
  }
  if (watchers.size >= enough) {
    for (const weak of watchers) {
      if (weak.deref() === undefined) {
        watchers.delete(weak)
      }
    }
    enough = Math.max(2 * watchers.size, 64)
  }
  watchers.add(new WeakRef(watcher))
  if (watched === window) {
    return
  }
  watched = window
  window.addEventListener("pagehide", () => tell("hide"))
  window.addEventListener("pageshow", () => tell("show"))
  window.addEventListener("visibilitychange", () => tell("visibility"))
  window.addEventListener("online", () => tell("online"))
  // Chrome 149 does not always fire visibilitychange after a resume (https://issues.chromium.org/issues/547062449).
  window.document?.addEventListener("resume", () => tell("visibility"))
}

/** Whether there is a page, and it is hidden. */
export const isHidden = (): boolean =>
  typeof window !== "undefined" && window.document ? window.document.visibilityState === "hidden" : false
