/** Read the collection in a folder with Bruno's own parser, and print what each file says as JSON. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import bruno from "@usebruno/lang";

const [folder] = process.argv.slice(2);

function parserOf(name) {
  if (name === "collection.bru") {
    return bruno.collectionBruToJson;
  }
  return name.startsWith("environments") ? bruno.bruToEnvJsonV2 : bruno.bruToJsonV2;
}

const names = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".bru"));
const parsed = names.map((name) => [name, parserOf(name)(readFileSync(join(folder, name), "utf8"))]);
console.log(JSON.stringify(Object.fromEntries(parsed)));
