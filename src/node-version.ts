/** Stops with one clear line on a Node that is too old, before anything that needs a newer one is loaded. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 24 || (major === 24 && minor < 11)) {
  process.stderr.write(
    `Lattice runs on Node 24.11 or newer; this is ${process.version}. Start it with "npm start", which brings its own Node.\n`,
  );
  process.exit(1);
}
