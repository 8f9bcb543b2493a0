import { expect, test } from "vitest";
import { call, operator, OPERATOR, registerTenant, useFarEnds, type Sent } from "../world";

/** What a Chatwoot may answer that the fake one does not: an older version, and one that is no friend. */

const farEnds = useFarEnds();

const TOKEN = "an-administrators-token";
const SITE = "https://chatwoot.example.com";

const connect = (owner: string, given: Record<string, unknown> = {}) =>
  call(`/admin/tenants/${owner}/connect/chatwoot`, {
    method: "POST",
    headers: OPERATOR,
    body: JSON.stringify({ baseUrl: SITE, accountId: 3, accessToken: TOKEN, ...given }),
  });

const profile = { id: 1, name: "Dewi", accounts: [{ id: 3, role: "administrator" }] };

/** A Chatwoot before 4.13: its inboxes have no secret. */
function older() {
  const inboxes: { id: number; name: string; channel_type: string; webhook_url: string }[] = [];
  farEnds.answerWith(({ url, body }: Sent) => {
    const path = url.replace(SITE, "").replace("/api/v1/accounts/3", "");
    if (path === "/api/v1/profile") return Response.json(profile);
    const asked = (body === "" ? {} : JSON.parse(body)) as { name?: string; channel?: { webhook_url: string } };
    if (path === "/inboxes" && body === "") return Response.json({ payload: inboxes });
    if (path === "/inboxes") {
      const webhook_url = asked.channel?.webhook_url ?? "";
      inboxes.push({ id: 7, name: asked.name ?? "", channel_type: "Channel::Api", webhook_url });
    }
    const [inbox] = inboxes;
    if (inbox && path === "/inboxes/7" && asked.channel) inbox.webhook_url = asked.channel.webhook_url;
    return Response.json(path.startsWith("/inboxes") ? inbox : {});
  });
  return inboxes;
}

const webhook = '{"event":"conversation_updated"}';
const isKnown = async (url: string) =>
  (await call(url.replace("https://relay.example", ""), { method: "POST", body: webhook })).status === 200;

test("an older Chatwoot, which signs nothing, is connected by a secret in the webhook's URL, and keeps it when connected again", async () => {
  const owner = await registerTenant();
  const inboxes = older();
  expect((await connect(owner)).status).toBe(200);
  const url = inboxes[0]?.webhook_url ?? "";
  expect(url).toMatch(new RegExp(`^https://relay.example/v1/desks/chatwoot/${owner}\\?token=[0-9a-f]{48}$`));
  expect(await isKnown(url)).toBe(true);
  expect(await isKnown(url.replace(/token=../, "token=xx"))).toBe(false);

  expect((await connect(owner)).status).toBe(200);
  expect(inboxes.map((inbox) => inbox.webhook_url)).toEqual([url]);
  expect(await isKnown(url)).toBe(true);
});

test.each(["https://10.0.0.8", "http://chatwoot.example.com", "https://localhost", "https://relay.example"])(
  "a Chatwoot at %s is refused, and nothing is sent",
  async (baseUrl) => {
    const refused = await connect(await registerTenant(), { baseUrl });
    expect(refused.status).toBe(422);
    expect(await refused.json()).toMatchObject({ error: { code: "invalid_request", issues: [{ path: "baseUrl" }] } });
    expect(farEnds.sent).toEqual([]);
  },
);

test("a refusal is quoted in Chatwoot's words, without the tokens that they repeat", async () => {
  const owner = await registerTenant();
  farEnds.answerWith(({ url, body }) => {
    if (url.endsWith("/profile")) return Response.json(profile);
    if (body === "") return Response.json({ payload: [] });
    return Response.json({ error: `Account limit exceeded for ${TOKEN}, an-agents-token` }, { status: 402 });
  });
  const refused = await connect(owner, { agentToken: "an-agents-token" });
  const text = await refused.text();
  expect(refused.status).toBe(502);
  expect(text).toContain("Account limit exceeded for ***, ***");
  expect(await operator("GET", `/tenants/${owner}`)).toMatchObject({ tenant: { desk: { type: "native" } } });
});

test("an inbox of another tenant, of another host or of another type is left alone", async () => {
  const owner = await registerTenant();
  const ours = `https://relay.example/v1/desks/chatwoot/${owner}`;
  const inbox = { name: "x", channel_type: "Channel::Api", secret: "secret-of-the-inbox" };
  const others = [
    { ...inbox, id: 1, webhook_url: `${ours}-2` },
    { ...inbox, id: 2, webhook_url: ours.replace("relay.example", "relay.example.org") },
    { ...inbox, id: 3, webhook_url: ours, channel_type: "Channel::WebWidget" },
    { ...inbox, id: 4, webhook_url: null },
  ];
  farEnds.answerWith(({ url, body }) => {
    if (url.endsWith("/profile")) return Response.json(profile);
    if (url.endsWith("/inboxes") && body === "") return Response.json({ payload: others });
    return Response.json({ ...inbox, id: 9, webhook_url: ours });
  });
  const connected = await connect(owner);
  expect(await connected.json()).toMatchObject({ tenant: { desk: { inboxId: 9 } } });
});
