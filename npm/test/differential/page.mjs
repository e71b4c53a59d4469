// A page for both libraries: phoenix.js looks for one when it is loaded, this package whenever it makes a socket. So
// this comes before them.

class Page {
  document = { visibilityState: "visible", addEventListener: (...args) => this.addEventListener(...args) }
  #listeners = []

  addEventListener(type, listener) {
    if (this === current) {
      this.#listeners.push([type, listener])
    }
  }

  /** The page tells all sockets that are on it. */
  tell(type) {
    for (const [listened, listener] of [...this.#listeners]) {
      if (listened === type) {
        listener({})
      }
    }
  }

  /** Nobody listens any more, and it is shown. */
  clear() {
    this.#listeners = []
    this.document.visibilityState = "visible"
  }
}

/** The page that phoenix.js keeps to. */
const first = new Page()
/** The page that sockets may be on; without one none hears of anything. */
let current = null
globalThis.window = first

/** A page that nobody is on. phoenix.js always has the same. */
export const openPage = (forPhoenix) => {
  current = forPhoenix ? first : new Page()
  globalThis.window = current
  return current
}

export const closePage = () => {
  current?.clear()
  current = null
  globalThis.window = undefined
}
