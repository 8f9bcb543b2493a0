import { Webhook } from "standardwebhooks";
import { bearer } from "../../support/tenant.ts";
import { type Hostile, type Scenario, closeOf, incomingOf, outgoingOf } from "./scenario.ts";

const unauthorized = { status: 401, code: "unauthorized" };

/** A signed reply, with whatever `change` makes of its three headers and its body. */
type Signed = { id: string; timestamp: string; signature: string; body: string };
const signed =
  (change: (sent: Signed, scenario: Scenario) => Partial<Signed>, offSeconds = 0): Hostile[1] =>
  (scenario) => {
    const at = new Date(Date.now() + offSeconds * 1_000);
    const body = JSON.stringify(outgoingOf(scenario));
    const id = `evt_${scenario.number}`;
    const good = {
      id,
      body,
      timestamp: String(Math.floor(at.getTime() / 1_000)),
      signature: new Webhook(scenario.tenant.signingSecret).sign(id, at, body),
    };
    const sent = { ...good, ...change(good, scenario) };
    return {
      path: "/v1/outgoing",
      body: sent.body,
      headers: {
        ...(sent.id === "" ? {} : { "webhook-id": sent.id }),
        ...(sent.timestamp === "" ? {} : { "webhook-timestamp": sent.timestamp }),
        "webhook-signature": sent.signature,
      },
    };
  };

const macOf = ({ signature }: Signed): string => signature.slice("v1,".length);
const signBy = (secret: string, { id, timestamp, body }: Signed): string =>
  new Webhook(secret).sign(id, new Date(Number(timestamp) * 1_000), body);
const flip = (text: string, at: number): string => {
  const index = at < 0 ? text.length + at : at;
  return `${text.slice(0, index)}${text[index] === "A" ? "B" : "A"}${text.slice(index + 1)}`;
};

type Signature = [name: string, change: Parameters<typeof signed>[0], offSeconds?: number];
const SIGNATURES: Signature[] = [
  ["over another body", ({ body }) => ({ body: body.replace("Ada", "ada") })],
  ["over the same JSON written otherwise", ({ body }) => ({ body: ` ${body}` })],
  ["of another id", () => ({ id: "evt_other" })],
  ["of another second", ({ timestamp }) => ({ timestamp: String(Number(timestamp) - 1) })],
  ["with no id", () => ({ id: "" })],
  ["with no timestamp", () => ({ timestamp: "" })],
  ["with a timestamp in milliseconds", ({ timestamp }) => ({ timestamp: `${timestamp}000` })],
  ["with a timestamp of a fraction", ({ timestamp }) => ({ timestamp: `${timestamp}.0` })],
  ["with a timestamp in hex", ({ timestamp }) => ({ timestamp: `0x${Number(timestamp).toString(16)}` })],
  ["with a negative timestamp", ({ timestamp }) => ({ timestamp: `-${timestamp}` })],
  ["with an infinite timestamp", () => ({ timestamp: "Infinity" })],
  ["that is 301 seconds old", () => ({}), -301],
  ["that is 302 seconds ahead", () => ({}), 302],
  ["that is empty", () => ({ signature: "" })],
  ["that is a comma", () => ({ signature: "," })],
  ["with an empty value", () => ({ signature: "v1," })],
  ["of scheme v2", (sent) => ({ signature: `v2,${macOf(sent)}` })],
  ["of scheme v1a", (sent) => ({ signature: `v1a,${macOf(sent)}` })],
  ["of scheme V1", (sent) => ({ signature: `V1,${macOf(sent)}` })],
  ["with no scheme", (sent) => ({ signature: macOf(sent) })],
  ["as GitHub writes it", (sent) => ({ signature: `sha256=${macOf(sent)}` })],
  ["in base64url", (sent) => ({ signature: `v1,${flip(macOf(sent), 3).replaceAll("=", "")}` })],
  ["in hex", (sent) => ({ signature: `v1,${Buffer.from(macOf(sent), "base64").toString("hex")}` })],
  ["cut short", (sent) => ({ signature: sent.signature.slice(0, -4) })],
  ["with its first character changed", (sent) => ({ signature: `v1,${flip(macOf(sent), 0)}` })],
  ["with its last character changed", (sent) => ({ signature: `v1,${flip(macOf(sent), -2)}` })],
  ["with its padding gone", (sent) => ({ signature: sent.signature.replace(/=+$/, "") })],
  ["doubled in one value", (sent) => ({ signature: `${sent.signature},${macOf(sent)}` })],
  ["after a comma in place of a space", (sent) => ({ signature: `v1,AAAA,${sent.signature}` })],
  ["by the secret of another desk", (sent, { stranger }) => ({ signature: signBy(stranger.signingSecret, sent) })],
  ["by a secret of zeros", (sent) => ({ signature: signBy(`whsec_${"A".repeat(43)}=`, sent) })],
  [
    "by the desk's token",
    (sent, { tenant }) => ({ signature: signBy(Buffer.from(tenant.token).toString("base64"), sent) }),
  ],
  [
    "by this desk for another's owner",
    (sent, scenario) => {
      const body = JSON.stringify(
        outgoingOf(scenario, { owner: scenario.stranger.owner, ticketNumber: scenario.strangersNumber }),
      );
      return { body, signature: signBy(scenario.tenant.signingSecret, { ...sent, body }) };
    },
  ],
  [
    "with the owner named twice, the last one a stranger",
    (sent, scenario) => {
      const body = `${sent.body.slice(0, -1)},"owner":"${scenario.stranger.owner}"}`;
      return { body, signature: signBy(scenario.tenant.signingSecret, { ...sent, body }) };
    },
  ],
  [
    "with no owner",
    (sent, scenario) => {
      const { owner: _, ...event } = outgoingOf(scenario);
      const body = JSON.stringify(event);
      return { body, signature: signBy(scenario.tenant.signingSecret, { ...sent, body }) };
    },
  ],
  ...["msg_1", "msg_", "msg_019a0b1c2d3e7f405162738495a6b7c8"].map((id): Signature => [
    `that holds, under the relay's own id ${id}`,
    (sent, { tenant }) => ({ id, signature: signBy(tenant.signingSecret, { ...sent, id }) }),
  ]),
  ["of 100,000 brackets", (sent) => ({ body: "[".repeat(100_000), signature: sent.signature })],
  [
    "of 100,000 brackets and a long number",
    (sent) => ({ body: `[12345678901234567890${",[".repeat(100_000)}`, signature: sent.signature }),
  ],
  [
    "for an owner of 6,000 characters",
    (sent) => ({ body: JSON.stringify({ owner: "o".repeat(6_000) }), signature: sent.signature }),
  ],
];
const signatures = SIGNATURES.map(([name, change, offSeconds]): Hostile => [
  `a signature ${name}`,
  signed(change, offSeconds),
  unauthorized,
]);

const AUTHORIZATIONS: [name: string, authorization: (good: string, other: string) => string][] = [
  ["nothing", () => ""],
  ["the scheme alone", () => "Bearer"],
  ["the scheme and a space", () => "Bearer "],
  ["no scheme", (good) => good],
  ["a Basic scheme", (good) => `Basic ${good}`],
  ["the scheme twice", (good) => `Bearer Bearer ${good}`],
  ["no space", (good) => `Bearer${good}`],
  ["a colon", (good) => `Bearer: ${good}`],
  ["a comma behind", (good) => `Bearer ${good},`],
  ["a second word behind", (good) => `Bearer ${good} x`],
  ["another token before it", (good) => `Bearer x, Bearer ${good}`],
  ["quotes", (good) => `Bearer "${good}"`],
  ["its first character changed", (good) => `Bearer ${flip(good, 0)}`],
  ["its last character changed", (good) => `Bearer ${flip(good, -1)}`],
  ["its last character gone", (good) => `Bearer ${good.slice(0, -1)}`],
  ["one character more", (good) => `Bearer ${good}A`],
  ["its case turned", (good) => `Bearer ${good.toUpperCase()}`],
  ["a NUL in percent", (good) => `Bearer ${good}%00`],
  ["the other party's token", (_, other) => `Bearer ${other}`],
  ["a token of a desk with 700 characters", () => `Bearer desk_${"QUFB".repeat(234)}.AAAA`],
  ["a token of a desk that is no UTF-8", () => "Bearer desk___79_w.AAAA"],
  ["a token of a desk __proto__", () => `Bearer desk_${Buffer.from("__proto__").toString("base64url")}.AAAA`],
  ["a token of no desk", () => "Bearer desk_.AAAA"],
];
const authorizations = AUTHORIZATIONS.flatMap(([name, write]): Hostile[] => [
  [
    `a desk's token with ${name}`,
    (scenario) => ({
      path: "/v1/command",
      headers: { authorization: write(scenario.tenant.token, scenario.world.settings.ADMIN_TOKEN) },
      body: JSON.stringify(closeOf(scenario)),
    }),
    unauthorized,
  ],
  [
    `the operator's token with ${name}`,
    (scenario) => ({
      method: "DELETE",
      path: `/admin/tenants/${scenario.tenant.owner}`,
      headers: { authorization: write(scenario.world.settings.ADMIN_TOKEN, scenario.tenant.token) },
    }),
    unauthorized,
  ],
]);

const KEYS: [name: string, key: (good: string) => string][] = [
  ["without its last character", (good) => good.slice(0, -1)],
  ["with one character more", (good) => `${good}a`],
  ["with its first character changed", (good) => flip(good, 0)],
  ["with its last character changed", (good) => flip(good, -1)],
  ["in capitals", (good) => good.toUpperCase()],
  ["with its name before it", (good) => `main=${good}`],
  ["with a space behind", (good) => `${good}%20`],
  ["with a NUL behind", (good) => `${good}%00`],
  ["that is the name of one", () => "main"],
  ["that is a whole list", (good) => `main=${good},main=${good}`],
  ["that is __proto__", () => "__proto__"],
];
const keys = KEYS.flatMap(([name, write]): Hostile[] =>
  ["incoming", "command"].map((route): Hostile => [
    `a key ${name} at /${route}`,
    (scenario) => ({
      path: `/v1/dolphins/${write(scenario.world.ingressKey)}/${route}`,
      body: JSON.stringify(route === "incoming" ? incomingOf(scenario) : closeOf(scenario)),
    }),
    unauthorized,
  ]),
);

const misplaced: Hostile[] = [
  [
    "a good token beside a wrong one in the query",
    (scenario) => ({ path: `/v1/outgoing?token=${scenario.tenant.token}`, body: JSON.stringify(outgoingOf(scenario)) }),
    unauthorized,
  ],
  [
    "a good token in a cookie",
    (scenario) => ({
      path: "/v1/outgoing",
      headers: { cookie: `authorization=${scenario.tenant.token}` },
      body: JSON.stringify(outgoingOf(scenario)),
    }),
    unauthorized,
  ],
  [
    "a good key in a header",
    (scenario) => ({
      path: "/v1/dolphins/x/incoming",
      headers: bearer(scenario.world.ingressKey),
      body: JSON.stringify(incomingOf(scenario)),
    }),
    unauthorized,
  ],
  [
    "a good signature beside a wrong token",
    (scenario) => {
      const good = signed(() => ({}))(scenario);
      return { ...good, headers: { ...good.headers, ...bearer("wrong") } };
    },
    unauthorized,
  ],
  [
    "the operator's token for a ticket",
    (scenario) => ({
      method: "GET",
      path: `/v1/tickets/${scenario.number}`,
      headers: bearer(scenario.world.settings.ADMIN_TOKEN),
    }),
    unauthorized,
  ],
];

export const CREDENTIALS: Hostile[] = [...signatures, ...authorizations, ...keys, ...misplaced];

/** Odd ways of writing a credential that are good all the same. The last is a reply each. */
export const GOOD: [name: string, request: Hostile[1]][] = [
  [
    "a signature among others that are wrong",
    signed(({ signature }) => ({ signature: `v1,AAAA v2,BBBB ${signature} v1a,CCCC` })),
  ],
  ["a signature with spaces round it", signed(({ signature }) => ({ signature: `  ${signature}  ` }))],
  ...["bearer", "BEARER", "Bearer  "].map((scheme): [string, Hostile[1]] => [
    `the scheme ${JSON.stringify(scheme)}`,
    (scenario) => ({
      path: "/v1/outgoing",
      headers: { authorization: `${scheme} ${scenario.tenant.token}` },
      body: JSON.stringify(outgoingOf(scenario)),
    }),
  ]),
];
