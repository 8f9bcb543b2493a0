import { getPath } from "hono/utils/url";
import { log } from "../lib/log";
import type { AppContext } from "./context";

/** Paths that 3Dolphins glues together from a base URL and what is appended to it, with slashes on both sides or on none. */

export const ENGINE_PATH = /^https?:\/\/[^/]+\/+v1\/+dolphins(?:\/|$)/;

/** A path that somebody may have meant for an engine's, such as `/V1/Dolphins/…` or one with a word before it. */
export const MISTYPED_PATH = /\/dolphins?(?:\/|$)/i;

/** The path as it was meant, for the router. */
export function enginePath(request: Request): string {
  const path = getPath(request);
  return path.includes("//") || path.endsWith("/") ? path.replace(/\/{2,}/g, "/").replace(/\/$/, "") : path;
}

/** A word such as `incomming`: too short, and made of too little, to be a key. */
const WORD = /^[a-z]{1,15}$/i;

/**
 * The engine shows nobody the 404 that its operator's typing error gets. So there is a line that helps to find it, and that
 * holds nothing of a key: neither what stands in the key's place, nor anything that may be one.
 */
export function logUnknownEnginePath(c: AppContext): void {
  const [, behind = ""] = c.req.path.split(MISTYPED_PATH);
  const segments = behind.split("/").filter((segment) => segment !== "");
  const last = segments.length > 1 ? (segments.at(-1) ?? "") : "";
  log("engine_path_unknown", {
    requestId: c.var.requestId,
    method: c.req.method,
    segments: segments.length,
    last: WORD.test(last) ? last : undefined,
    lastLength: last.length,
    contentLength: c.req.header("content-length"),
  });
}
