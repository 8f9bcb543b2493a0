import type { AppContext } from "./context";

/**
 * Whether a request comes from the relay's own pages. A browser adds a cookie by itself, so the cookie alone says nothing
 * of who asks. `Sec-Fetch-Site` and `Origin` are the browser's own words, which no page can set. Older browsers send no
 * `Sec-Fetch-Site`, and none over plain http: then what changes something has to name the origin. So has a WebSocket's
 * upgrade always, since no rule of cross-origin reading stands in its way.
 */
export function isSameOrigin(c: AppContext): boolean {
  const site = c.req.header("sec-fetch-site");
  const origin = c.req.header("origin");
  if (site !== undefined && site !== "same-origin") return false;
  if (origin !== undefined) return origin === new URL(c.req.url).origin;
  const isUpgrade = c.req.header("upgrade") !== undefined;
  return !isUpgrade && (site !== undefined || c.req.method === "GET" || c.req.method === "HEAD");
}

/**
 * Whether a page of somebody else asks. A program names neither site nor origin, and is none. Without this, another page could
 * sign a browser in under its own operator's name.
 */
export function isOtherPage(c: AppContext): boolean {
  const site = c.req.header("sec-fetch-site") ?? "same-origin";
  const { origin } = new URL(c.req.url);
  return site !== "same-origin" || (c.req.header("origin") ?? origin) !== origin;
}
