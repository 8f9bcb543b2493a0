import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judgeAnswer, retryAfterMs, type Answer } from "../../../src/egress/outcome";
import { RUN } from "../property";

const answer = (status: number, text = "", more: Partial<Answer> = {}): Answer => ({
  status,
  text,
  truncated: false,
  retryAfterMs: undefined,
  ...more,
});

const REJECTED = new Set([400, 401, 403, 404, 405, 406, 410, 411, 413, 414, 415, 422, 451, 501]);
const NAMED_RETRY = [408, 425, 429];

/** The protocol's table, by class and exception; what it does not name is tried again. */
function expectedKind(status: number): string {
  if (status >= 200 && status < 300) return "delivered";
  if (status >= 300 && status < 400) return "rejected";
  return REJECTED.has(status) ? "rejected" : "retry";
}

describe("the status of an answer", () => {
  it.each(Array.from({ length: 500 }, (_, index) => index + 100))("%i is judged by the table", (status) => {
    for (const readsBody of [true, false]) {
      const outcome = judgeAnswer(answer(status), readsBody);
      expect(outcome.kind).toBe(expectedKind(status));
      expect(outcome).toHaveProperty("status", status);
    }
  });

  it("has the temporary ones of the 4xx tried again", () => {
    for (const status of NAMED_RETRY) expect(judgeAnswer(answer(status), true).kind).toBe("retry");
  });

  it("says that redirects are not followed", () => {
    expect(judgeAnswer(answer(302), true)).toMatchObject({ error: "HTTP 302: redirects are not followed" });
  });
});

describe("the body of a 2xx", () => {
  const failures = [
    '{"status":"error"}',
    '{"status":"ERR"}',
    '{"status":"failed"}',
    '{"status":"Failure","message":"no"}',
    '{"status":"fail"}',
    '{"status":"rejected"}',
    '{"status":"REJECT"}',
    '{"status":400}',
    '{"status":500,"error":"Internal"}',
    '{"success":false}',
    '{"status":"success","success":false}',
  ];
  const others = [
    "",
    "OK",
    "error",
    "null",
    "false",
    "[]",
    '"error"',
    '{"status":"success"}',
    '{"status":"ok"}',
    '{"status":200}',
    '{"status":399}',
    '{"success":true}',
    '{"success":"false"}',
    '{"success":null}',
    '{"status":null}',
    '{"status":"no error"}',
    '{"status":{"code":500}}',
    '{"error":"x"}',
    '{"data":{"status":"error"}}',
    '[{"status":"error"}]',
    '{"status":"error"',
    "<html>error</html>",
  ];

  it.each(failures)("says failure: %s", (text) => {
    const outcome = judgeAnswer(answer(200, text), true);
    expect(outcome).toEqual({
      kind: "rejected",
      status: 200,
      error: "HTTP 200, but the body says failure",
      answer: text,
    });
  });

  it.each(others)("does not say failure: %s", (text) => {
    expect(judgeAnswer(answer(200, text), true)).toMatchObject({ kind: "delivered", status: 200 });
  });

  it.each(failures)("is not read where the far end does not say failure in it: %s", (text) => {
    expect(judgeAnswer(answer(202, text), false)).toEqual({ kind: "delivered", status: 202, answer: text });
  });

  it("says nothing when it is longer than what was read", () => {
    expect(judgeAnswer(answer(200, '{"status":"error"}', { truncated: true }), true).kind).toBe("delivered");
  });

  it("never throws, whatever it is", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(["delivered", "rejected"]).toContain(judgeAnswer(answer(200, text), true).kind);
      }),
      RUN,
    );
  });
});

describe("what is kept of a failure", () => {
  it("is the beginning of the body, 2,048 bytes at the most and whole characters", () => {
    const kept = (text: string) => {
      const outcome = judgeAnswer(answer(500, text), true);
      return outcome.kind === "retry" ? outcome.answer : undefined;
    };
    expect(kept("")).toBeUndefined();
    expect(kept("x".repeat(2048))).toBe("x".repeat(2048));
    expect(kept("x".repeat(2049))).toBe("x".repeat(2048));
    expect(kept("€".repeat(1000))).toBe("€".repeat(682));
    expect(kept(`x${"🐬".repeat(600)}`)).toBe(`x${"🐬".repeat(511)}`);
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 3000, size: "max" }), (text) => {
        const start = kept(text) ?? "";
        const bytes = new TextEncoder().encode(start).byteLength;
        expect(text.startsWith(start)).toBe(true);
        expect(bytes).toBeLessThanOrEqual(2048);
        // No more would have fitted.
        expect(start === text || bytes > 2044).toBe(true);
      }),
      RUN,
    );
  });

  it("is kept of a rejection too", () => {
    expect(judgeAnswer(answer(404, "gone"), true)).toMatchObject({ kind: "rejected", answer: "gone" });
  });

  it("has the wait that the far end asked for, where trying again is any use", () => {
    const wait = { retryAfterMs: 5_000 };
    expect(judgeAnswer(answer(429, "", wait), true)).toMatchObject(wait);
    expect(judgeAnswer(answer(503, "", wait), true)).toMatchObject(wait);
    expect(judgeAnswer(answer(503), true)).not.toHaveProperty("retryAfterMs");
    expect(judgeAnswer(answer(400, "", wait), true)).not.toHaveProperty("retryAfterMs");
  });
});

describe("Retry-After", () => {
  const nowMs = Date.UTC(2026, 10, 22, 12, 0, 0);

  it.each([
    [null, undefined],
    ["0", 0],
    ["120", 120_000],
    [" 7 ", 7_000],
    ["Sun, 22 Nov 2026 12:01:30 GMT", 90_000],
    ["Sun, 22 Nov 2026 11:00:00 GMT", 0],
    ["", undefined],
    ["soon", undefined],
  ])("%j is %j ms from now", (header, ms) => {
    expect(retryAfterMs(header, nowMs)).toBe(ms);
  });

  it("is never negative and never not a number, whatever the header holds", () => {
    const header = fc.oneof(fc.string(), fc.integer().map(String), fc.double().map(String), fc.date().map(String));
    fc.assert(
      fc.property(header, (text) => {
        const ms = retryAfterMs(text, nowMs);
        expect(ms === undefined || ms >= 0).toBe(true);
      }),
      RUN,
    );
  });
});
