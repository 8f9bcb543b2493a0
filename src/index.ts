import { app } from "./app";

export { EngineSession } from "./engine-session/session";
export { Ticket } from "./ticket/ticket";

export default { fetch: app.fetch } satisfies ExportedHandler<Env>;
