export const ROLES = ["viewer", "operator", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** From which role on a route is open: what a reviewer wants to see in one place. */
export const OPEN_FROM: Record<string, Role> = {
  "GET /admin/me": "viewer",
  "GET /admin/health": "viewer",
  "GET /admin/audit": "viewer",
  "GET /admin/audit/verify": "viewer",
  "GET /admin/tenants": "viewer",
  "GET /admin/tenants/:owner": "viewer",
  "PUT /admin/tenants/:owner": "admin",
  "DELETE /admin/tenants/:owner": "admin",
  "GET /admin/tenants/:owner/credentials": "admin",
  "POST /admin/tenants/:owner/credentials/rotate": "admin",
  "GET /admin/tenants/:owner/overview": "viewer",
  "GET /admin/tenants/:owner/tickets": "viewer",
  "GET /admin/tenants/:owner/events": "viewer",
  "GET /admin/tenants/:owner/dead-letters": "viewer",
  "POST /admin/tenants/:owner/dead-letters/replay": "operator",
  "POST /admin/tenants/:owner/dead-letters/discard": "operator",
  "POST /admin/tenants/:owner/retry": "operator",
  "POST /admin/tenants/:owner/pause": "operator",
  "POST /admin/tenants/:owner/resume": "operator",
  "POST /admin/tenants/:owner/test/desk": "operator",
  "POST /admin/tenants/:owner/test/engine": "operator",
  "POST /admin/tenants/:owner/connect/chatwoot": "admin",
  "GET /admin/tenants/:owner/purge": "viewer",
  "POST /admin/tenants/:owner/erase": "admin",
  "GET /admin/tenants/:owner/export": "viewer",
  "GET /admin/tickets/:owner/:ticketNumber": "viewer",
  "POST /admin/tickets/:owner/:ticketNumber/retry": "operator",
  "POST /admin/tickets/:owner/:ticketNumber/replay": "operator",
};
