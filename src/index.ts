import { app } from "./app";

export { Ticket } from "./ticket/ticket";

export default { fetch: app.fetch } satisfies ExportedHandler<Env>;
