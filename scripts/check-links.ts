/** Fails when a Markdown file links to a file or a heading that is not there, or names a file of the project that is not. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);

const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { encoding: "utf8" })
  .split("\n")
  .filter((file) => existsSync(file));
const documents = files.filter((file) => file.endsWith(".md"));
const folders = new Set(files.flatMap(foldersOf));
/** In a document's code, a path that begins with one of these is a file's or a folder's of this project. */
const topFolders = [...folders].filter((folder) => folder.endsWith("/") && folder.indexOf("/") === folder.length - 1);

function foldersOf(file: string): string[] {
  const parts = file.split("/");
  return parts.slice(0, -1).flatMap((_, at) => {
    const folder = parts.slice(0, at + 1).join("/");
    return [folder, `${folder}/`];
  });
}

const isThere = (path: string): boolean => path === "." || files.includes(path) || folders.has(path);

const withoutFences = (text: string): string => text.replaceAll(/^( *)(```|~~~)[^]*?^\1\2 *$/gm, "");

/** GitHub's name for a heading: lower case, without punctuation, hyphens for blanks, numbered where it comes again. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of withoutFences(text).matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const words = heading.replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const slug = words.replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, "").replaceAll(" ", "-");
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

const texts = new Map(documents.map((file) => [file, readFileSync(file, "utf8")]));
const faults: string[] = [];

for (const [file, text] of texts) {
  const prose = withoutFences(text);
  for (const [, target = ""] of prose.replaceAll(/`[^`\n]*`/g, "code").matchAll(/\]\(([^)\s]+)\)/g)) {
    // What begins with a slash is a page of the relay's own.
    if (/^([a-z]+:|\/)/.test(target)) continue;
    const [path = "", anchor] = target.split("#");
    const linked = path === "" ? file : normalize(join(dirname(file), decodeURI(path)));
    if (!isThere(linked)) faults.push(`${file}: ${target} leads to no file`);
    else if (anchor !== undefined && !anchorsOf(texts.get(linked) ?? "").has(anchor))
      faults.push(`${file}: ${target} leads to no heading`);
  }
  for (const [, code = ""] of prose.matchAll(/`([^`\n]+)`/g)) {
    const isPath = topFolders.some((folder) => code.startsWith(folder)) && /^[\w./-]+$/.test(code);
    // What a build makes is not in git.
    if (isPath && !code.startsWith("build/") && !isThere(code)) faults.push(`${file}: there is no ${code}`);
  }
}

for (const fault of faults) console.error(fault);
console.log(`${documents.length} documents, ${faults.length} broken links.`);
if (faults.length > 0) process.exitCode = 1;
