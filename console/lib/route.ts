/** Where in the console: all of it stands behind the `#`, so that the relay serves one page. Pure. */

export const TABS = ["tickets", "dead-letters", "live", "settings"] as const;
export type Tab = (typeof TABS)[number];

export type Route =
  | { page: "tenants" }
  | { page: "new-tenant" }
  | { page: "tenant"; owner: string; tab: Tab; query: URLSearchParams }
  /** `message`: the id of the one that the link leads to. */
  | { page: "ticket"; owner: string; ticketNumber: string; message: string | undefined }
  | { page: "unknown" };

export const tenantsHref = "#/";
export const newTenantHref = "#/new-tenant";
export const tenantHref = (owner: string, tab: Tab = "tickets", query: Record<string, string> = {}): string => {
  const given = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "")).toString();
  return `#/tenants/${encodeURIComponent(owner)}/${tab}${given === "" ? "" : `?${given}`}`;
};
export const ticketHref = (owner: string, ticketNumber: string, message?: string): string => {
  const query = message === undefined ? "" : `?${new URLSearchParams({ message }).toString()}`;
  return `#/tenants/${encodeURIComponent(owner)}/tickets/${encodeURIComponent(ticketNumber)}${query}`;
};

export function parseRoute(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").map(decoded);
  if (path === "") return { page: "tenants" };
  if (path === "new-tenant") return { page: "new-tenant" };
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
