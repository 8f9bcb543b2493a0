import { required } from "../../config";
import { chatwootConnection, connectChatwoot } from "../../desks/chatwoot/connect";
import { audit } from "../../http/audit-trail";
import { configOf } from "../../http/context";
import { allow } from "../../http/operators";
import { bodyIn, invalidParameter, newestTenantIn, webhookUrlOf } from "../../http/parameters";
import { Routes } from "../../http/routes";
import type { ConnectedAnswer } from "../../model/answers";
import { reachesTo } from "../../tenants/far-ends";
import { maskSecrets } from "../../tenants/secrets";
import { whyNoTarget } from "../../tenants/tenant-record";
import { putRecord } from "./tenants";

/** Sets up the desk of a tenant at its far end, and writes it into the tenant's record. */
export const connections = new Routes();

/** Some ten requests, while an operator waits. */
const TIMEOUT_MS = 25_000;
const SECRET_BYTES = 24;

connections.post("/:owner/connect/chatwoot", allow("admin", "desk_connected"), async (c) => {
  const given = bodyIn(c, chatwootConnection);
  const { allowInsecureTargets, bindings, masterKeys } = configOf(c);
  required(masterKeys);
  const { owner, name, language, desk: present } = await newestTenantIn(c);
  const { reach } = present;
  const why = whyNoTarget(given.baseUrl, allowInsecureTargets, c.req.url, reach !== undefined);
  if (why !== undefined) throw invalidParameter("baseUrl", why);
  const newSecret = crypto.getRandomValues(new Uint8Array(SECRET_BYTES)).toHex();
  const { accessToken, agentToken = accessToken } = given;
  const { desk, checks, isNew } = await connectChatwoot(given, {
    webhookUrl: webhookUrlOf(c, "chatwoot", owner),
    tenantName: name === owner ? "" : name,
    language,
    newSecret,
    timeoutMs: TIMEOUT_MS,
    allowInsecureTargets,
    reaches: reachesTo([given.baseUrl], reach, bindings),
    secrets: [accessToken, agentToken, newSecret],
  });
  // As it is now: somebody may have changed it meanwhile.
  const before = await maskSecrets(await newestTenantIn(c));
  const templates = before.desk.type === "chatwoot" && before.desk.templates === false ? { templates: false } : {};
  const sealed = await putRecord(c, owner, { ...before, desk: { ...desk, ...templates, reach } });
  audit(c, {
    accountId: desk.accountId,
    inboxId: desk.inboxId,
    inbox: isNew ? "new" : "found",
  });
  return c.json<ConnectedAnswer>({ status: "success", tenant: await maskSecrets(sealed), checks });
});
