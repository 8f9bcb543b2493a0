import { toBase64, utf8 } from "../../lib/bytes";
import type { Delivered, Delivery, EngineContext } from "../destination";
import { send } from "../http";
import { judgeAnswer, type Outcome } from "../outcome";
import type { EngineRecord } from "./record";

/** The 3Dolphins server as a destination: Outgoing and Command Events, with the tenant's kind of authentication. */
export async function deliverToEngine(
  delivery: Delivery,
  record: EngineRecord,
  context: EngineContext,
): Promise<Delivered> {
  const url = record.baseUrl + (delivery.kind === "command" ? record.commandPath : record.outgoingPath);
  const attempt = async (headers: Record<string, string>): Promise<Outcome> => {
    const result = await send({
      url,
      headers: {
        "content-type": "application/json",
        ...headers,
        "relay-message-id": delivery.id,
        "relay-sequence": String(delivery.sequence),
        "relay-attempt": String(delivery.attempt),
      },
      body: delivery.event,
      timeoutMs: context.timeoutMs,
      allowInsecureTargets: context.allowInsecureTargets,
    });
    return "outcome" in result ? result.outcome : judgeAnswer(result.answer, true);
  };
  return { outcome: await authenticated(record, context, attempt) };
}

/**
 * Makes an attempt with the tenant's authentication. Under `login`, a 401 means that the token was refused before its time:
 * a fresh one, and one more try at once.
 */
async function authenticated(
  { auth }: EngineRecord,
  context: EngineContext,
  attempt: (headers: Record<string, string>) => Promise<Outcome>,
): Promise<Outcome> {
  switch (auth.type) {
    case "none":
      return attempt({});
    case "bearer":
      return attempt({ authorization: `Bearer ${auth.token}` });
    case "basic":
      return attempt({ authorization: `Basic ${toBase64(utf8(`${auth.username}:${auth.password}`))}` });
    case "header":
      return attempt({ [auth.name]: auth.value });
    case "login": {
      const first = await context.login();
      if ("outcome" in first) return first.outcome;
      const outcome = await attempt({ authorization: `Bearer ${first.token}` });
      if (outcome.kind !== "rejected" || outcome.status !== 401) return outcome;
      const second = await context.login(first.token);
      return "outcome" in second ? second.outcome : attempt({ authorization: `Bearer ${second.token}` });
    }
  }
}
