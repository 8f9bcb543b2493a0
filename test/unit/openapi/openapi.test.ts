import { validate } from "@readme/openapi-parser";
import { describe, expect, test } from "vitest";
import { type ApiDocument, checkerOf, mediaOf, operationsIn } from "../../../openapi/check";
import { buildDocument } from "../../../openapi/document";
import { withResponses } from "../../../openapi/resolve";
import { REFUSALS, statusOf } from "../../../openapi/refusals";
import { parseEvent } from "../../../src/model/event";
import type { ErrorCode } from "../../../src/model/errors";
import { parseTenant } from "../../../src/tenants/tenant-record";

/** The document by itself: what the relay answers is held against it in the walk over HTTP. */

const document = withResponses(buildDocument("1.2.3") as ApiDocument);
const operations = [...operationsIn(document.paths), ...operationsIn(document.webhooks)];
const check = checkerOf(document, { closed: true });

test("is valid OpenAPI 3.1", async () => {
  expect(document["openapi"]).toBe("3.1.0");
  // The parser resolves references in place.
  expect(await validate(structuredClone(document) as never)).toEqual({
    valid: true,
    warnings: [],
    specification: "OpenAPI",
  });
});

test("names each operation once", () => {
  const ids = operationsIn(document.paths).map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
});

describe("every example fits its own schema", () => {
  const places = operations.flatMap(({ method, path, requestBody, responses }) =>
    [["body", requestBody] as const, ...Object.entries(responses)].map(([name, place]) => ({
      what: `${method} ${path} ${name}`,
      media: mediaOf(place),
    })),
  );
  const withExamples = places.flatMap(({ what, media }) =>
    Object.entries(media?.examples ?? {}).map(([name, { value }]) => ({ what: `${what} ${name}`, media, value })),
  );

  test("and every body but the document's own has one", () => {
    expect(places.filter(({ media }) => media && !media.examples).map(({ what }) => what)).toEqual([
      "GET /openapi.json 200",
    ]);
  });

  test.each(withExamples)("$what", ({ media, value }) => {
    expect(check(media?.schema ?? {}, value)).toEqual([]);
  });

  test("and a field too many, one too few and a wrong one are found", () => {
    const refusal = { $ref: "#/components/schemas/Refusal" };
    const error = { code: "internal", message: "" };
    expect(check(refusal, { status: "error", error })).toEqual([]);
    expect(check(refusal, { status: "error", error, more: 1 })).toHaveLength(1);
    expect(check(refusal, { status: "error", error: { code: "internal" } })).toHaveLength(1);
    expect(check(refusal, { status: "error", error: { ...error, code: "none" } })).toHaveLength(1);
  });
});

test("every code of the relay is documented, by some operation and under its own status", () => {
  const seen = new Set<string>();
  for (const { responses } of operationsIn(document.paths)) {
    for (const [status, response] of Object.entries(responses)) {
      if (Number(status) < 400) continue;
      for (const code of Object.keys(mediaOf(response)?.examples ?? {})) {
        expect(statusOf(code as ErrorCode), code).toBe(status);
        seen.add(code);
      }
    }
  }
  expect([...seen].toSorted()).toEqual(Object.keys(REFUSALS).toSorted());
});

test("the examples of events and of the tenant record are such as the relay takes", () => {
  const bodies = (path: string, method: string) =>
    Object.values(mediaOf(document.paths[path]?.[method]?.requestBody)?.examples ?? {}).map(({ value }) => value);
  const taken = [
    ...bodies("/v1/dolphins/{ingressKey}/incoming", "post").map((event) => parseEvent("incoming", event)),
    ...bodies("/v1/dolphins/{ingressKey}/command", "post").map((event) => parseEvent("ownedCommand", event)),
    ...bodies("/v1/outgoing", "post").map((event) => parseEvent("outgoing", event)),
    ...bodies("/v1/command", "post").map((event) => parseEvent("command", event)),
    ...bodies("/admin/tenants/{owner}", "put").map((record) => parseTenant("any", record, false)),
  ];
  expect(taken.filter((parsed) => !parsed.ok)).toEqual([]);
  expect(taken).toHaveLength(8);
});
