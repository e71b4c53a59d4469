/** The library the page was built over, as `vite.config.ts` says. */
declare const __LIBRARY__: string
