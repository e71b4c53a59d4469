// Upstream's own test files over this package, and over the phoenix.js that it is measured by, in jest. What comes of
// it has to be what COMPATIBILITY.md says, case by case.
//
//   node run.mjs --phoenix DIR --scratch DIR
//
// The first is a clone of phoenixframework/phoenix, bare or not, of which nothing is kept but in the second.

import { execFileSync, spawnSync } from "node:child_process"
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { counts, failing, program } from "./compatibility.mjs"

/** What COMPATIBILITY.md is about. */
const COMMIT = "167c46950cf53aef363d672687cc653267c20aa6"
const TOOLS = { jest: "30.5.2", "jest-environment-jsdom": "30.5.2", "mock-socket": "9.3.1" }

const NPM = fileURLToPath(new URL("../..", import.meta.url))
const { phoenix, scratch } = parseArgs({
  options: { phoenix: { type: "string" }, scratch: { type: "string" } },
}).values
const write = (file, text) => writeFileSync(join(scratch, file), text)

/** Its test files, beside the phoenix.js that is pinned here: some import their constants from there. */
function layOut() {
  rmSync(join(scratch, "assets"), { recursive: true, force: true })
  mkdirSync(scratch, { recursive: true })
  let archive
  try {
    archive = execFileSync("git", ["-C", phoenix, "archive", COMMIT, "assets/test", "assets/package.json"])
  } catch {
    console.error(`${phoenix} is no clone with the commit ${COMMIT}; in one: git fetch origin ${COMMIT}`)
    process.exit(2)
  }
  execFileSync("tar", ["-x", "-C", scratch], { input: archive })
  const pinned = "assets/js/phoenix"
  cpSync(join(NPM, "node_modules/phoenix", pinned), join(scratch, pinned), { recursive: true })
}

function install() {
  const config = (library) => ({
    testEnvironment: "jsdom",
    testEnvironmentOptions: { url: "https://example.com" },
    testRegex: "/assets/test/.*_test\\.js$",
    transform: {},
    clearMocks: true,
    setupFiles: ["<rootDir>/encoders.mjs"],
    moduleNameMapper: library === undefined ? {} : { "^\\.\\./js/phoenix$": library },
    rootDir: ".",
  })
  write("package.json", JSON.stringify({ private: true, type: "module", devDependencies: TOOLS }))
  write("encoders.mjs", program())
  write("phoenix-presence.json", JSON.stringify(config(join(NPM, "dist/index.mjs"))))
  write("phoenix.json", JSON.stringify(config()))
  const npm = process.platform === "win32" ? "npm.cmd" : "npm"
  execFileSync(npm, ["install", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"], {
    cwd: scratch,
    stdio: ["ignore", "ignore", "inherit"],
  })
}

/** Of each file its cases by their names, each with what became of it: passed, failed or pending. */
function run(library) {
  const output = `${library}.results.json`
  rmSync(join(scratch, output), { force: true })
  const jest = ["--experimental-vm-modules", "node_modules/jest/bin/jest.js"]
  const { stderr } = spawnSync(
    process.execPath,
    [...jest, "--config", `${library}.json`, "--json", "--outputFile", output],
    { cwd: scratch, encoding: "utf8" },
  )
  let results
  try {
    results = JSON.parse(readFileSync(join(scratch, output), "utf8")).testResults
  } catch {
    throw new Error(`jest gave no results:\n${stderr}`)
  }
  return Object.fromEntries(
    results
      .map(({ name, message, assertionResults }) => {
        if (assertionResults.length === 0) throw new Error(`${name} does not run:\n${message}`)
        const cases = assertionResults.map(({ ancestorTitles, title, status }) => [
          // Without the outermost group, which is the whole file.
          `${ancestorTitles.slice(1).join(" > ")}: ${title}`,
          status,
        ])
        return [basename(name), cases]
      })
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
}

/** As COMPATIBILITY.md has it. */
function table(ours, theirs) {
  const count = (cases, wanted) => cases.filter(([, status]) => status === wanted).length
  const row = (name, our, their) =>
    `| ${[name, ...["passed", "failed", "pending"].map((status) => count(our, status)), ...["passed", "failed"].map((status) => count(their, status))].join(" | ")} |\n`
  return [
    "| file | passed | failed | skipped by upstream | phoenix.js 1.8.16: passed | failed |\n",
    "|---|--:|--:|--:|--:|--:|\n",
    ...Object.keys(ours).map((file) => row(file, ours[file], theirs[file])),
    row("all", Object.values(ours).flat(), Object.values(theirs).flat()),
  ].join("")
}

/** What is not as COMPATIBILITY.md says, in lines. */
function differences(ours, theirs) {
  const found = []
  const written = counts()
  const measured = table(ours, theirs)
  if (written !== measured) found.push(`the table says\n${written}and should say\n${measured}`)
  for (const [file, cases] of Object.entries(ours)) {
    const named = failing(file)
    for (const [name, status] of cases) {
      const failsThere = theirs[file].some(([other, status]) => other === name && status === "failed")
      const what = status === "failed" ? (failsThere ? "fails, in phoenix.js too" : "fails") : status
      const said = named.get(name) ?? (status === "pending" ? "pending" : "passed")
      if (said !== what) found.push(`${file}: ${name}: it says ${said}, but it ${what}`)
      named.delete(name)
    }
    for (const name of named.keys()) found.push(`${file}: ${name}: there is no such case`)
  }
  return found
}

layOut()
install()
const [ours, theirs] = ["phoenix-presence", "phoenix"].map(run)
console.log(table(ours, theirs))
const found = differences(ours, theirs)
if (found.length > 0) {
  console.error(`Not what npm/COMPATIBILITY.md says:\n${found.join("\n")}`)
  process.exit(1)
}
console.log("As npm/COMPATIBILITY.md says, case by case")
