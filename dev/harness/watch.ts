import { incomingEvent, outgoingEvent, text } from "../demo/events.ts";
import type { Received } from "../fakes/far-end.ts";
import { deed, fields, prose, title } from "../demo/print.ts";
import type { Stage } from "../demo/scenario.ts";
import { whatIn } from "./timeline.ts";

/** Says how to go on by hand, and from now on prints what reaches the two ends. */
export function stayUp(stage: Stage): void {
  title("The relay stays up. Ctrl-C stops everything.");
  fields([
    ["Console", `${stage.relay.url}/console`],
    ["  sign in with", stage.adminToken],
    ["API reference", `${stage.relay.url}/docs`],
    ["The desk's token", stage.deskToken],
    ["The engine's base URL", stage.engineBaseUrl],
  ]);
  const incoming = incomingEvent(stage.owner, text("Halo dari curl"));
  const reply = outgoingEvent(stage.owner, text("Balasan dari curl"));
  prose("", "  Write as the customer, and see it arrive at the desk below:", "");
  prose(curl(`${stage.engineBaseUrl}/incoming`, incoming), "");
  prose("  Answer as the agent, and see it arrive at 3Dolphins:", "");
  prose(curl(`${stage.relay.url}/v1/outgoing`, reply, stage.deskToken), "");
  prose("  Then look at the ticket in the console. Your own desk: npm start -- --desk http://127.0.0.1:3000/", "");
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
