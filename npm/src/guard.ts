// User code runs here, so that its errors harm nothing but itself.

/** Reports an error as uncaught, as the browser reports one of an event listener. */
export const report = (error: unknown): void => {
  if (typeof globalThis.reportError === "function") {
    globalThis.reportError(error)
  } else {
    setTimeout(() => {
      throw error
    }, 0)
  }
}

/** Calls user code; an error it throws is reported as uncaught. */
export const guarded = <A extends unknown[]>(callback: (...args: A) => unknown, ...args: A): void => {
  try {
    callback(...args)
  } catch (error) {
    report(error)
  }
}

/** A value, or a function that gives it. */
export const closure = <T>(value: T | (() => T)): (() => T) =>
  typeof value === "function" ? (value as () => T) : () => value

/** What a hook or a chooser does where there is none. */
export const second = (_first: unknown, second: any): any => second
