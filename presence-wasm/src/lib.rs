//! presence-core in the browser.
