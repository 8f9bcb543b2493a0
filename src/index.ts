import { app } from "./app";
import { sweep } from "./tenant-index/sweep";

export { Audit } from "./audit/audit";
export { ConsoleSession } from "./console-session/console-session";
export { EngineSession } from "./engine-session/engine-session";
export { Registrar } from "./registrar/registrar";
export { TenantIndex } from "./tenant-index/tenant-index";
export { Ticket } from "./ticket/ticket";

export default {
  fetch: app.fetch,
  scheduled: (_controller, env) => sweep(env),
} satisfies ExportedHandler<Env>;
