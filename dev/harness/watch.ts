import { incomingEvent, outgoingEvent, text, ticketNumber } from "../demo/events.ts";
import type { Received } from "../fakes/far-end.ts";
import { deed, fields, prose, title } from "../demo/print.ts";
import type { Stage } from "../demo/scenario.ts";
import { whatIn } from "./timeline.ts";

/** Says how to go on by hand, and from now on prints what reaches the two ends. */
export function stayUp(stage: Stage): void {
  title("The relay stays up. Ctrl-C stops everything.");
  fields([
    ["In 3Dolphins, app.ext.integration.api.base.url", stage.engineBaseUrl],
    ["  and app.ext.integration.api.incomingMessage", "/incoming"],
    ["The desk posts replies to", `${stage.relay.url}/v1/outgoing`],
    ["  and Close to", `${stage.relay.url}/v1/command`],
    ["  with Authorization: Bearer", stage.deskToken],
    ["The API is described at", `${stage.relay.url}/docs`],
    ["The operator looks at", `${stage.relay.url}/admin/tickets/${stage.owner}/${ticketNumber}`],
    ["  with Authorization: Bearer", stage.adminToken],
  ]);
  const incoming = incomingEvent(stage.owner, text("Halo dari curl"));
  const reply = outgoingEvent(stage.owner, text("Balasan dari curl"));
  prose("", "  Write as the customer, and see it arrive at the desk below:", "");
  prose(curl(`${stage.engineBaseUrl}/incoming`, incoming), "");
  prose("  Answer as the agent, and see it arrive at 3Dolphins:", "");
  prose(curl(`${stage.relay.url}/v1/outgoing`, reply, stage.deskToken), "");
  stage.desk.watch((request) => {
    const signature = stage.desk.verified.has(request) ? "signature verified" : "signature NOT verified";
    deed("desk", `received ${describe(request)} at attempt ${request.headers["relay-attempt"]}, ${signature}`);
  });
  stage.engine.answerWith((request) => {
    deed("3Dolphins", `received ${describe(request)} at attempt ${request.headers["relay-attempt"]}`);
    return { status: 200, body: JSON.stringify({ status: "success" }) };
  });
}

function curl(url: string, body: Record<string, unknown>, token?: string): string {
  const authorization = token === undefined ? "" : ` -H 'authorization: Bearer ${token}'`;
  return `curl -H 'content-type: application/json'${authorization} ${url} -d '${JSON.stringify(body)}'`;
}

function describe(request: Received): string {
  try {
    return whatIn(JSON.parse(request.body));
  } catch {
    return `${request.method} ${request.path}`;
  }
}
