import { defineConfig } from "vitest/config"

export default defineConfig({
  root: import.meta.dirname,
  test: {
    include: ["*.test.ts"],
    // Every wait inside has its own, shorter limit; this one only ends a hang.
    testTimeout: 90_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 15_000, interval: 15 } },
    // One Chromium at a time.
    fileParallelism: false,
    reporters: ["verbose"],
  },
})
