// Builds what internal/web/assets embeds: node build.js OUT. The result depends on the
// sources and the pinned tools only, so that verify.sh can compare it byte by byte.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = resolve(process.argv[2] ?? join(here, "../internal/web/assets/dist"));
// Built beside its place and moved there whole, so that a Go build never sees half of it.
const out = target + ".new";
const banner = "/* Built from design/ by `make -C design build`; edit there. */";

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

// The colour tokens come from one file, which the contrast test reads too.
const tokens = JSON.parse(readFileSync(join(here, "tokens.json"), "utf8"));
const block = (theme, indent) => Object.entries(tokens[theme]).map(([k, v]) => `${indent}--${k}: ${v};`).join("\n");
writeFileSync(join(here, "css/tokens.gen.css"), `:root {
  color-scheme: light;
${block("light", "  ")}
}
@media screen and (prefers-color-scheme: dark) {
  :root:not([data-theme="light"]) {
    color-scheme: dark;
${block("dark", "    ")}
  }
}
@media screen {
  :root[data-theme="dark"] {
    color-scheme: dark;
${block("dark", "    ")}
  }
}
`);

const tailwind = join(here, "node_modules/@tailwindcss/cli/dist/index.mjs");
const css = execFileSync(process.execPath, [tailwind, "--input", join(here, "css/app.css"), "--minify"], {
  cwd: here, stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 26,
});
writeFileSync(join(out, "app.css"), `${banner}\n${css}`);

await build({
  entryPoints: { shop: join(here, "js/shop.js"), console: join(here, "js/console.js") },
  bundle: true, minify: true, format: "esm", target: ["es2020"], outdir: out, legalComments: "none",
  banner: { js: banner }, logLevel: "warning",
});

copyFileSync(join(here, "node_modules/htmx.org/dist/htmx.min.js"), join(out, "htmx.js"));
for (const name of readdirSync(join(here, "static")).sort()) copyFileSync(join(here, "static", name), join(out, name));

rmSync(target, { recursive: true, force: true });
renameSync(out, target);
