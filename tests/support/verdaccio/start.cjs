// Serves the npm registry in the folder given, says on which port, and ends with its stdin.
"use strict";
const { join } = require("node:path");
const [modules, folder] = process.argv.slice(2);
const { runServer } = require(join(modules, "verdaccio"));

runServer({
  configPath: join(folder, "config.yaml"),
  self_path: folder,
  storage: join(folder, "storage"),
  auth: { htpasswd: { file: join(folder, "htpasswd") } },
  uplinks: {},
  packages: { "@*/*": { access: "$all", publish: "$all" }, "**": { access: "$all", publish: "$all" } },
  logs: { type: "stdout", format: "json", level: "error" },
  web: { enable: false },
}).then((server) => {
  server.listen(0, "127.0.0.1", () => console.log(`port ${server.address().port}`));
  process.stdin.on("end", () => process.exit(0)).resume();
});
