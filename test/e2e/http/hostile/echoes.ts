import type { Received } from "../../../../dev/fakes/far-end.ts";

/** How a far end may repeat the request that it was sent. */

const dump = ({ method, path, headers, body }: Received): string =>
  [`${method} ${path}`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`), "", body].join("\n");

const html = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`).replaceAll("\n", "<br>");
const each = (text: string, write: (byte: string) => string): string =>
  Array.from(Buffer.from(text), (byte) => write(byte.toString(16).padStart(2, "0"))).join("");

export const ECHOES: Record<string, (request: Received) => string> = {
  "as it came": dump,
  "as JSON": (request) => JSON.stringify({ error: "bad request", request }),
  "as JSON, without signs of HTML": (request) =>
    JSON.stringify(request)
      .replaceAll(/[<>&'+=]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`)
      .replaceAll("/", String.raw`\/`),
  "as a text within JSON": (request) => JSON.stringify({ error: JSON.stringify(request) }),
  "as a page": (request) => `<html><pre>${html(dump(request))}</pre></html>`,
  "as a page, of JSON": (request) => `<html><pre>${html(JSON.stringify(request))}</pre></html>`,
  "in a URL": (request) => `see https://help.example/?request=${encodeURIComponent(dump(request))}`,
  "in a URL, all of it escaped": (request) =>
    `see https://help.example/?r=${each(dump(request), (byte) => `%${byte}`)}`,
  "in base64": (request) => Buffer.from(dump(request)).toString("base64"),
  "in base64, one byte on": (request) => Buffer.from(` ${dump(request)}`).toString("base64url"),
  "in base64, two bytes on, in lines": (request) =>
    Buffer.from(`  ${dump(request)}`)
      .toString("base64")
      .replaceAll(/.{76}/g, "$&\r\n"),
  "in hex": (request) => each(dump(request), (byte) => byte),
  "in capitals": (request) => dump(request).toUpperCase(),
  "cut off": ({ headers }) =>
    Object.entries(headers)
      .map(([name, value]) => `${name}: ${value.slice(0, 21)}…`)
      .join("\n"),
  "behind 2,030 bytes": (request) => `${"x".repeat(2_030)}${Object.values(request.headers).join("\n")}`,
};

/** As long and as odd as a secret may be that goes into a header. */
export const SECRET = `qz<v&w"jx'k/zf+yq=wv%41~`;
/** And in a body. */
export const PASSWORD = `kätä<x&q"zj'/wv+fq=yk%41~`;
