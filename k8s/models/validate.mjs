// Reads custom resources as one JSON list from stdin and holds each to its operator's own schema.
// Whatever no schema is known for is a fault, too. Exit 1 with a line for each fault.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

// The working folder is the one that npm installed into.
const home = resolve("node_modules", "@kubernetes-models");
const packages = {
  "external-secrets.io": "external-secrets",
  "gateway.networking.k8s.io": "gateway-api",
  "keda.sh": "keda",
  "monitoring.coreos.com": "prometheus-operator",
};

async function modelOf({ apiVersion, kind }) {
  const [group] = apiVersion.split("/");
  const file = resolve(home, `${packages[group]}`, apiVersion, `${kind}.js`);
  return (await import(pathToFileURL(file)))[kind];
}

let faults = 0;
for (const object of JSON.parse(readFileSync(0, "utf8"))) {
  const where = `${object.kind} ${object.metadata.name}`;
  try {
    const { apiVersion, kind, ...body } = object;
    new (await modelOf(object))(body).validate();
  } catch (fault) {
    faults += 1;
    console.log(`${where}: ${fault.message}`);
  }
}
process.exit(faults ? 1 : 0);
