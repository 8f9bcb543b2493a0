/** Where in the console: all of it stands behind the `#`, so that the relay serves one page. Pure. */

export const TABS = ["tickets", "dead-letters", "live", "settings"] as const;
export type Tab = (typeof TABS)[number];

export type Route =
  | { page: "tenants" }
  | { page: "new-tenant" }
  | { page: "audit"; query: URLSearchParams }
  | { page: "tenant"; owner: string; tab: Tab; query: URLSearchParams }
  /** `message`: the id of the one that the link leads to. */
  | { page: "ticket"; owner: string; ticketNumber: string; message: string | undefined }
  | { page: "unknown" };

export const tenantsHref = "#/";
export const newTenantHref = "#/new-tenant";
export const auditHref = (query: Record<string, string> = {}): string => `#/audit${searchOf(query)}`;
export const tenantHref = (owner: string, tab: Tab = "tickets", query: Record<string, string> = {}): string =>
  `#/tenants/${encodeURIComponent(owner)}/${tab}${searchOf(query)}`;

function searchOf(query: Record<string, string>): string {
  const given = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "")).toString();
  return given === "" ? "" : `?${given}`;
}

export const ticketHref = (owner: string, ticketNumber: string, message = ""): string =>
  `#/tenants/${encodeURIComponent(owner)}/tickets/${encodeURIComponent(ticketNumber)}${searchOf({ message })}`;

export function parseRoute(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").map(decoded);
  if (path === "") return { page: "tenants" };
  if (path === "new-tenant") return { page: "new-tenant" };
  if (path === "audit") return { page: "audit", query: new URLSearchParams(search) };
  const [top, owner, tab = "tickets", ticketNumber, ...rest] = parts;
  if (top !== "tenants" || !owner || rest.length > 0) return { page: "unknown" };
  const query = new URLSearchParams(search);
  if (tab === "tickets" && ticketNumber) {
    return { page: "ticket", owner, ticketNumber, message: query.get("message") ?? undefined };
  }
  const known = TABS.find((each) => each === tab);
  if (!known || ticketNumber !== undefined) return { page: "unknown" };
  return { page: "tenant", owner, tab: known, query };
}

/** Somebody may have typed it. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
