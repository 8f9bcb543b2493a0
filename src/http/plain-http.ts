import { AppError } from "../model/errors";
import { configOf, type AppContext } from "./context";

export const isSecure = (c: AppContext): boolean => c.req.url.startsWith("https:");

/**
 * Refuses what came over plain http, before a credential is judged: anybody on the way has read it by now. An event that was
 * taken all the same would hide that. Only local development has no https.
 */
export function refusePlainHttp(c: AppContext): void {
  if (configOf(c).allowInsecureTargets) return;
  throw new AppError(
    "https_required",
    "The relay takes https alone, and has stored nothing. Put https:// into the URL; if a credential was sent, replace it.",
  );
}
