// What this package's socket does otherwise on purpose, done to phoenix.js's.

/** When a transport is through with something. */
const DONE = {
  waitForBufferDone: (conn) => !conn.bufferedAmount || conn.readyState !== 1,
  waitForSocketClosed: (conn) => conn.readyState === 3,
}

export class Model {
  #clock
  #waiting = []
  /** The teardown that goes on at the moment. */
  #teardown = null
  #teardowns = 0
  #asked = []

  constructor(socket, clock) {
    this.#clock = clock
    clock.settled = () => this.settled()
    for (const wait of Object.keys(DONE)) {
      this.#goOnAtClose(socket, wait)
    }
    this.#askLate(socket.reconnectTimer)
    const remove = socket.remove.bind(socket)
    socket.remove = (channel) => {
      remove(channel)
      // It does not rejoin, not even after a wait that had begun.
      clearTimeout(channel.rejoinTimer.timer)
    }
    const channel = socket.channel.bind(socket)
    socket.channel = (...args) => {
      const made = channel(...args)
      this.#askLate(made.rejoinTimer)
      // A channel that is closed stays closed: the join under way does not time out any more.
      made.onClose(() => made.joinPush.cancelTimeout())
      return made
    }
  }

  /**
   * What waits for a transport to drain or to close goes on once that tells of its close, and not only when it is looked
   * at next.
   */
  #goOnAtClose(socket, wait) {
    socket[wait] = (conn, callback, tries = 1, teardown = this.#teardown ?? ++this.#teardowns) => {
      const goOn = () => {
        this.#teardown = teardown
        callback()
        this.#teardown = null
      }
      if (tries === 5 || DONE[wait](conn)) {
        return goOn()
      }
      const waiter = { conn, teardown, goOn }
      waiter.timer = setTimeout(() => {
        this.#forget(waiter)
        socket[wait](conn, callback, tries + 1, teardown)
      }, 150 * tries)
      this.#waiting.push(waiter)
    }
  }

  #forget(waiter) {
    clearTimeout(waiter.timer)
    this.#waiting = this.#waiting.filter((other) => other !== waiter)
  }

  /** A transport has told of its close. */
  closed(transport) {
    const waiters = this.#waiting.filter(({ conn }) => conn === transport)
    for (const waiter of waiters.sort((a, b) => a.teardown - b.teardown)) {
      this.#forget(waiter)
      waiter.goOn()
    }
  }

  /** How long to wait is asked once all is done that is due: of what is due at one time then, it comes last. */
  #askLate(timer) {
    const schedule = timer.scheduleTimeout.bind(timer)
    timer.scheduleTimeout = () => {
      schedule()
      this.#asked.push(timer.timer)
    }
  }

  /** Nothing is left to do at the moment. */
  settled() {
    for (const id of this.#asked.splice(0)) {
      this.#clock.requeue(id)
    }
  }
}
