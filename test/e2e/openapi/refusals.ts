import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import type { ApiOperation } from "../../../openapi/check.ts";
import type { Reply } from "../support/http.ts";
import { sendRaw } from "../support/raw.ts";
import { type Walk, schemesOf } from "./walk.ts";

/** Ways to have an operation refuse, each tried on every operation that it can be tried on. */
type Refusal = {
  what: string;
  statuses: number[];
  of: (operation: ApiOperation) => boolean;
  provoke: (walk: Walk, operation: ApiOperation) => Promise<Reply>;
};

const TOO_LARGE = JSON.stringify({ text: "x".repeat(256 * 1_024) });

const takesBody = ({ requestBody }: ApiOperation) => requestBody !== undefined;
const takesCookie = (operation: ApiOperation) => schemesOf(operation).includes("consoleSession");
const isAboutOwner = ({ path }: ApiOperation) => path.startsWith("/admin/") && path.includes("{owner}");
const parameterIn = ({ parameters = [] }: ApiOperation, name: string, place: string) =>
  parameters.find((parameter) => parameter.name === name && parameter.in === place);
const limitOf = ({ parameters = [] }: ApiOperation) => parameters.find(({ schema }) => schema["type"] === "integer");

const withBody = (body: string) => (walk: Walk, operation: ApiOperation) =>
  walk.send(operation, { body, headers: walk.credentialFor(operation, body) });

function withQuery(walk: Walk, operation: ApiOperation, name: string, value: string | number): Promise<Reply> {
  const path = walk.pathOf(operation);
  return walk.send(operation, { path: `${path}${path.includes("?") ? "&" : "?"}${name}=${value}` });
}

export const REFUSALS: Refusal[] = [
  {
    what: "without a credential",
    statuses: [401],
    of: (operation) => schemesOf(operation).length > 0 || operation.path.includes("{ingressKey}"),
    provoke: ({ api, send }, operation) => send(operation, { path: api.pathOf(operation), headers: {} }),
  },
  {
    what: "with a session's cookie out of another site",
    statuses: [401],
    of: takesCookie,
    provoke: ({ send, credentialFor }, operation) => {
      const headers = credentialFor(operation, "", "consoleSession");
      return send(operation, { headers: { ...headers, "sec-fetch-site": "cross-site" } });
    },
  },
  {
    what: "by a method that the path does not take",
    statuses: [405],
    of: () => true,
    provoke: async ({ world, api, pathOf }, operation) => {
      const reply = await world.call(pathOf(operation), { method: "PATCH" });
      const methods = api.operations.filter(({ path }) => path === operation.path).map(({ method }) => method);
      // HEAD is answered wherever GET is, and no operation of its own.
      const allowed = methods.includes("GET") ? [...methods, "HEAD"] : methods;
      expect(reply.headers.get("allow")?.split(", ").toSorted()).toEqual(allowed.toSorted());
      return reply;
    },
  },
  {
    what: "with a body that is too large",
    statuses: [413],
    of: takesBody,
    provoke: ({ world, pathOf, credentialFor }, operation) => {
      const headers = { ...credentialFor(operation, TOO_LARGE), "content-type": "application/json" };
      return sendRaw(world.relay().url, {
        method: operation.method,
        path: pathOf(operation),
        headers,
        body: TOO_LARGE,
      });
    },
  },
  {
    what: "for a version of a record that it has no longer",
    statuses: [412],
    of: (operation) => parameterIn(operation, "If-Match", "header") !== undefined,
    provoke: ({ send, bodyOf, credentialFor }, operation) => {
      const headers = credentialFor(operation, bodyOf(operation));
      return send(operation, { headers: { ...headers, "if-match": '"an older one"' } });
    },
  },
  { what: "with a body that is no JSON", statuses: [400], of: takesBody, provoke: withBody("{") },
  { what: "with a body of something else", statuses: [422], of: takesBody, provoke: withBody("[]") },
  {
    what: "for a tenant that is not there",
    statuses: [404],
    // An export says first what it is of.
    of: (operation) =>
      isAboutOwner(operation) && operation.method !== "PUT" && operation.operationId !== "exportCustomer",
    provoke: ({ api, send }, operation) => send(operation, { path: api.pathOf(operation, { owner: "nobody" }) }),
  },
  {
    what: "for an owner that cannot be one",
    statuses: [422],
    of: isAboutOwner,
    provoke: ({ api, send }, operation) => send(operation, { path: api.pathOf(operation, { owner: "o".repeat(129) }) }),
  },
  {
    what: "for another desk's owner",
    statuses: [403],
    of: (operation) => parameterIn(operation, "owner", "query") !== undefined && !operation.path.startsWith("/admin/"),
    provoke: (walk, operation) => withQuery(walk, operation, "owner", walk.otherOwner),
  },
  {
    what: "beyond the limits of a parameter, and not at them",
    statuses: [422],
    of: (operation) => limitOf(operation) !== undefined,
    provoke: async (walk, operation) => {
      const { name = "", schema } = limitOf(operation) ?? {};
      const [least, most] = [Number(schema?.["minimum"]), Number(schema?.["maximum"])];
      for (const good of [least, most]) {
        const reply = await withQuery(walk, operation, name, good);
        expect(reply.status, `${name}=${good}`).toBe(200);
        walk.api.expectDescribed(operation, reply, `${name}=${good}`);
      }
      expect((await withQuery(walk, operation, name, least - 1)).status).toBe(422);
      return withQuery(walk, operation, name, most + 1);
    },
  },
  {
    what: "with a cursor that no page ended at",
    statuses: [422],
    of: (operation) => parameterIn(operation, "before", "query") !== undefined,
    provoke: (walk, operation) => withQuery(walk, operation, "before", "nowhere"),
  },
  {
    what: "with an idempotency key that is too long",
    statuses: [422],
    of: (operation) => parameterIn(operation, "Idempotency-Key", "header") !== undefined,
    provoke: ({ send, credentialFor }, operation) =>
      send(operation, { headers: { ...credentialFor(operation), "idempotency-key": "k".repeat(257) } }),
  },
  {
    what: "with the idempotency key of another body",
    statuses: [422],
    of: ({ operationId }) => ["incoming", "outgoing"].includes(operationId),
    provoke: async ({ api, send, credentialFor, bodyOf }, operation) => {
      const headers = { ...credentialFor(operation), "idempotency-key": randomUUID() };
      await send(operation, { headers });
      api.expectDescribed(operation, await send(operation, { headers }), "the same once more");
      const event = JSON.parse(bodyOf(operation) ?? "") as object;
      return send(operation, { headers, body: JSON.stringify({ ...event, more: "something else" }) });
    },
  },
  {
    what: "without Upgrade",
    statuses: [426],
    of: ({ operationId }) => operationId === "watch",
    provoke: ({ send }, operation) => send(operation),
  },
];
