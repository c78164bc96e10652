// Bundles the console and writes it as the C source that lies in the binary (api/embedded.h), compressed, with names
// that carry a hash of the content. node build.mjs OUT_DIR
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2];
const types = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

const hash = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 12);

/** One script or style sheet with all that it imports. */
async function bundle(entry) {
  const result = await build({
    entryPoints: [join(here, "src", entry)],
    bundle: true,
    minify: true,
    write: false,
    outdir: out,
    format: "iife",
    target: ["chrome109", "firefox115", "safari16"],
    loader: { ".svg": "dataurl" },
    legalComments: "none",
    logLevel: "warning",
  });
  return Buffer.from(result.outputFiles[0].contents);
}

const files = []; // {name, page, bytes}
const names = {}; // what a page calls it: its name with the hash

function add(name, bytes) {
  const extension = extname(name);
  const hashed = `${name.slice(0, -extension.length)}-${hash(bytes)}${extension}`;
  names[name] = `/console/${hashed}`;
  files.push({ name: hashed, page: false, bytes });
}

/** A page whose {{name}} are the names of files above. */
function addPage(name) {
  const text = readFileSync(join(here, "src", name), "utf8").replace(/\{\{([\w.-]+)\}\}/g, (all, file) => {
    if (!(file in names)) throw new Error(`${name} asks for ${file}, which nobody makes`);
    return names[file];
  });
  files.push({ name, page: true, bytes: Buffer.from(text) });
}

function bytesOf(buffer) {
  const lines = [];
  for (let at = 0; at < buffer.length; at += 32) lines.push([...buffer.subarray(at, at + 32)].join(","));
  return lines.join(",\n");
}

/** The C source; its name says nothing about how it was made, since it is the same each time. */
function source() {
  const parts = ['#include "api/embedded.h"'];
  const rows = [];
  files.forEach(({ name, page, bytes }, i) => {
    const packed = gzipSync(bytes, { level: 9 });
    packed[9] = 255; // the operating system's mark: any
    parts.push(`static const unsigned char f${i}[] = {\n${bytesOf(packed)}\n};`);
    rows.push(
      `    {"${name}", "${types[extname(name)]}", "${hash(bytes)}", ${page}, ${bytes.length}, f${i}, sizeof f${i}},`,
    );
  });
  parts.push(`const struct ht_console_file ht_console_files[] = {\n${rows.join("\n")}\n};`);
  parts.push("const size_t ht_console_file_count = sizeof ht_console_files / sizeof *ht_console_files;\n");
  return parts.join("\n");
}

rmSync(join(out, "files"), { recursive: true, force: true });
mkdirSync(join(out, "files"), { recursive: true });
// MapLibre makes its worker of its own text, so it is served as it comes and not bundled into ours.
add("maplibre.js", readFileSync(join(here, "node_modules/maplibre-gl/dist/maplibre-gl.js")));
add("maplibre.css", await bundle("../node_modules/maplibre-gl/dist/maplibre-gl.css"));
add("icon.svg", readFileSync(join(here, "src/icon.svg")));
const styles = readdirSync(join(here, "src/panels")).filter((name) => name.endsWith(".css")).sort();
add("style.css", Buffer.concat([await bundle("style.css"), ...(await Promise.all(styles.map((name) => bundle(`panels/${name}`))))]));
add("app.js", await bundle("main.ts"));
add("boot.js", await bundle("boot.ts"));
addPage("index.html");
if (existsSync(join(here, "src/resident/main.ts"))) {
  add("resident.js", await bundle("resident/main.ts"));
  if (existsSync(join(here, "src/resident/resident.css"))) add("resident.css", await bundle("resident/resident.css"));
  addPage("resident.html");
}
for (const { name, bytes } of files) writeFileSync(join(out, "files", name), bytes);
writeFileSync(join(out, "console_files.c"), source());
const scripts = files.filter(({ name }) => name.endsWith(".js")).reduce((sum, { bytes }) => sum + bytes.length, 0);
console.log(`console: ${files.length} files, ${scripts} bytes of script`);
