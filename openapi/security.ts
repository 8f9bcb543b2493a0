/** How a caller is known. The engine's key is none of these: it stands in the path. */
export const securitySchemes = {
  operatorToken: {
    type: "http",
    scheme: "bearer",
    description: "An operator's token: what `ADMIN_TOKEN` is set to, or one of `OPERATORS`.",
  },
  consoleSession: {
    type: "apiKey",
    in: "cookie",
    name: "__Host-relay_session",
    description:
      "The cookie of a sign-in to the console (over plain http `relay_session`). Taken from the relay's own pages alone.",
  },
  accessToken: {
    type: "apiKey",
    in: "header",
    name: "Cf-Access-Jwt-Assertion",
    description:
      "What Cloudflare Access puts into a request, where the relay is set up for it. As with the cookie, from the relay's own pages alone, or with their `Origin`.",
  },
  deskToken: {
    type: "http",
    scheme: "bearer",
    description: "A desk's token, from `GET /admin/tenants/{owner}/credentials`.",
  },
  standardWebhooks: {
    type: "apiKey",
    in: "header",
    name: "webhook-signature",
    description:
      "[Standard Webhooks](https://www.standardwebhooks.com): `v1,` and the base64 HMAC-SHA-256 of `{webhook-id}.{webhook-timestamp}.{raw body}` under the desk's `whsec_…` secret, beside the headers `webhook-id` and `webhook-timestamp`. The body has to give `owner`.",
  },
  chatwootSignature: {
    type: "apiKey",
    in: "header",
    name: "X-Chatwoot-Signature",
    description:
      "`sha256=` and the hex HMAC-SHA-256 of `{X-Chatwoot-Timestamp}.{raw body}`. Before Chatwoot 4.13: the secret as `?token=` in the URL.",
  },
  zendeskKey: {
    type: "apiKey",
    in: "header",
    name: "X-API-Key",
    description: "The secret of the Sunshine Conversations webhook.",
  },
  genesysSignature: {
    type: "apiKey",
    in: "header",
    name: "X-Hub-Signature-256",
    description: "`sha256=` and the base64 HMAC-SHA-256 of the raw body under the integration's secret.",
  },
};
