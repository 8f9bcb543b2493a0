import { toBase64, utf8 } from "../../lib/bytes";
import type { EngineAuth, EngineRecord } from "./record";
import type { Destination, DeliveryContext } from "../destination";
import { send } from "../http";
import { judgeAnswer, type Failure, type Outcome } from "../outcome";
import { forgetToken, login } from "./login";

/** The 3Dolphins server as a destination: Outgoing and Command Events, with the tenant's kind of authentication. */
export const engine: Destination<EngineRecord> = {
  async deliver(delivery, record, context) {
    const url = record.baseUrl + (delivery.kind === "command" ? record.commandPath : record.outgoingPath);
    const attempt = async (): Promise<Outcome> => {
      const auth = await authHeaders(record, context);
      if ("outcome" in auth) return auth.outcome;
      const result = await send({
        url,
        headers: {
          "content-type": "application/json",
          ...auth.headers,
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
    const outcome = await attempt();
    if (record.auth.type !== "login" || outcome.kind !== "rejected" || outcome.status !== 401) return { outcome };
    // The token was refused before its time: one fresh one, one more try.
    forgetToken(context.owner);
    return { outcome: await attempt() };
  },
};

type AuthHeaders = { headers: Record<string, string> } | { outcome: Failure };

async function authHeaders(record: EngineRecord, context: DeliveryContext): Promise<AuthHeaders> {
  const auth: EngineAuth = record.auth;
  switch (auth.type) {
    case "none":
      return { headers: {} };
    case "bearer":
      return { headers: { authorization: `Bearer ${auth.token}` } };
    case "basic":
      return { headers: { authorization: `Basic ${toBase64(utf8(`${auth.username}:${auth.password}`))}` } };
    case "header":
      return { headers: { [auth.name]: auth.value } };
    case "login": {
      const result = await login(record, auth, context);
      return "token" in result ? { headers: { authorization: `Bearer ${result.token}` } } : result;
    }
  }
}
