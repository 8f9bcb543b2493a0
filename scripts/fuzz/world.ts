import { type FakeChatwoot, startFakeChatwoot } from "../../dev/fakes/chatwoot.ts";
import { fakeEngine } from "../../dev/fakes/engine.ts";
import { type FarEnd, startFarEnd } from "../../dev/fakes/far-end.ts";
import { type FakeZendesk, startFakeZendesk } from "../../dev/fakes/zendesk.ts";
import { call, registerTenant } from "../../dev/harness/client.ts";
import { ingressKeyOf, type Settings } from "../../dev/harness/relay.ts";

/** What generated requests refer to: tenants, an open ticket, an agent's file, and everybody's credentials. */

const OWNER = "82ab0fd5cfd1e80d1ff97c0cfc9aaaa";
const SPARE_OWNER = "spare";
const ZENDESK_OWNER = "zendesk";
const CHATWOOT_OWNER = "chatwoot";
const TICKET = "294c9ea88f7e649f8c37ae895ebab247";
const CONTACT = "d61d77735f3fe08bcf6d6b96fa06ba9d";
const LOGIN = { type: "login", username: "relay", password: "the engine's password" };
const FILE = "/sc/attachments/1/letter.txt";

export type FarEnds = { engine: FarEnd; desk: FarEnd; zendesk: FakeZendesk; chatwoot: FakeChatwoot };

export async function startFarEnds(): Promise<FarEnds> {
  const [engine, desk, zendesk, chatwoot] = await Promise.all([
    startFarEnd(),
    startFarEnd(),
    startFakeZendesk(),
    startFakeChatwoot(),
  ]);
  fakeEngine(engine, LOGIN).contacts.set(CONTACT, { id: CONTACT, firstName: "Farhan" });
  return { engine, desk, zendesk, chatwoot };
}

/** Puts all of it into the relay at `url`. What comes back is for scripts/fuzz/hooks.py. */
export async function furnish(url: string, settings: Settings, { engine, desk, zendesk, chatwoot }: FarEnds) {
  const token = settings.ADMIN_TOKEN;
  const ingressKey = ingressKeyOf(settings);
  const native = { type: "native", url: desk.url };
  const dolphins = { baseUrl: engine.url, auth: LOGIN };
  const register = (owner: string, to: object) => registerTenant(url, token, owner, { dolphins, desk: to });
  await Promise.all([
    register(SPARE_OWNER, native),
    register(ZENDESK_OWNER, zendesk.record),
    register(CHATWOOT_OWNER, native),
  ]);
  const tenant = await register(OWNER, native);
  for (const owner of [OWNER, ZENDESK_OWNER])
    await succeed("POST", `${url}/v1/dolphins/${ingressKey}/incoming`, { body: incomingOf(owner) });
  await zendesk.until(() => zendesk.conversations.length > 0, "a conversation");
  const [conversation] = zendesk.conversations;
  if (!conversation) throw new Error("There is no conversation at the fake Zendesk.");
  zendesk.subscribe(`${url}/v1/desks/zendesk/${ZENDESK_OWNER}`);
  const signedIn = await succeed("POST", `${url}/console/session`, { body: { token } });
  return {
    url,
    operatorToken: token,
    deskToken: tenant.token,
    ingressKey,
    owner: OWNER,
    spareOwner: SPARE_OWNER,
    zendeskOwner: ZENDESK_OWNER,
    chatwootOwner: CHATWOOT_OWNER,
    chatwoot: {
      baseUrl: chatwoot.url,
      accountId: chatwoot.record["accountId"],
      accessToken: chatwoot.tokens.administrator,
      agentToken: chatwoot.tokens.agent,
    },
    zendeskKey: String(zendesk.record["webhookSecret"]),
    zendeskEvent: zendesk.agentMessage(conversation, { content: { type: "text", text: "Halo" } }),
    ticketNumber: TICKET,
    contactId: CONTACT,
    mediaReference: await sendFile(zendesk, engine, conversation),
    session: /relay_session=([^;]*)/.exec(signedIn.headers.get("set-cookie") ?? "")?.[1] ?? "",
  };
}

const incomingOf = (owner: string) => ({
  ticketNumber: TICKET,
  channel: "whatsapp",
  accountId: "1",
  contactId: CONTACT,
  messageType: "text",
  message: "Halo",
  mediaLink: "",
  customerName: "Farhan",
  createdDate: "2021-04-28T15:39:37.945",
  owner,
});

/** An agent sends a file behind Zendesk's credential: the end of the relay's link to it, which the engine is sent. */
async function sendFile(zendesk: FakeZendesk, engine: FarEnd, conversation: FakeZendesk["conversations"][number]) {
  zendesk.files.set(FILE, { status: 200, body: "nama", headers: { "content-type": "text/plain" } });
  const content = { type: "file", mediaUrl: zendesk.url + FILE, mediaType: "text/plain" };
  await zendesk.send([zendesk.agentMessage(conversation, { content })]);
  const reference = (body: string) => /\/v1\/media\/([^"]+)/.exec(body)?.[1];
  const received = await engine.until((all) => all.some(({ body }) => reference(body)), "the link of the file");
  return received.map(({ body }) => reference(body)).find((found) => found !== undefined);
}

async function succeed(...request: Parameters<typeof call>) {
  const reply = await call(...request);
  if (reply.status !== 200)
    throw new Error(`${request[0]} ${request[1]} answered ${reply.status}: ${JSON.stringify(reply.body)}`);
  return reply;
}
