import { AppError } from "../model/errors";
import { configOf, type AppContext } from "./context";

export const isSecure = (c: AppContext): boolean => c.req.url.startsWith("https:");

/**
 * Refuses what came over plain http, before a credential is judged: anybody on the way has read it by now. An event that was
 * taken all the same would hide that. Only local development has no https, and what calls this machine by its own name never
 * left it: no request that comes through Cloudflare has such a host.
 */
export function refusePlainHttp(c: AppContext): void {
  if (configOf(c).allowInsecureTargets || isThisMachine(new URL(c.req.url).hostname)) return;
  throw new AppError(
    "https_required",
    "The relay takes https alone, and has stored nothing. Put https:// into the URL; if a credential was sent, replace it.",
  );
}

/** `localhost` and the loopback addresses, as a URL has them. */
const isThisMachine = (host: string): boolean => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(host);
