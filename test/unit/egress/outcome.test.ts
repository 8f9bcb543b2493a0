import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { judgeAnswer, retryAfterMs, type Answer } from "../../../src/egress/outcome";
import { RUN } from "../property";

const answer = (status: number, text = "", more: Partial<Answer> = {}): Answer => ({
  status,
  text,
  raw: text,
  truncated: false,
  unreadable: false,
  retryAfterMs: undefined,
  ...more,
});

const kindOf = (status: number, text?: string) => judgeAnswer(answer(status, text), true).kind;

/** The protocol's table; every other status is tried again. */
const REJECTED = new Set([400, 401, 403, 404, 405, 406, 410, 411, 413, 414, 415, 422, 451, 501]);

describe("an answer's status", () => {
  test("an answer's status decides by the protocol's table, and one that the table does not name is tried again", () => {
    for (let status = 100; status < 600; status++) {
      const isFinal = REJECTED.has(status) || (status >= 300 && status < 400);
      const kind = status >= 200 && status < 300 ? "delivered" : isFinal ? "rejected" : "retry";
      expect([status, kindOf(status)]).toEqual([status, kind]);
      expect(judgeAnswer(answer(status), false)).toMatchObject({ kind, status });
    }
  });

  test("a message is tried again after a 4xx that is a temporary refusal", () => {
    expect([408, 425, 429].map((status) => kindOf(status))).toEqual(["retry", "retry", "retry"]);
  });

  test("the error of a redirect says that it is not followed", () => {
    expect(judgeAnswer(answer(302), true)).toMatchObject({ error: "HTTP 302: redirects are not followed" });
  });
});

describe("the body of a 2xx", () => {
  const FAILURES = [
    '{"status":"error"}',
    '{"status":"ERR"}',
    '{"status":"Failure","message":"no"}',
    '{"status":"rejected"}',
    '{"status":400}',
    '{"status":"false"}',
    '{"success":false}',
    '{"status":"success","success":false}',
  ];

  test("the body of a 2xx that says failure is a rejection", () => {
    for (const text of FAILURES) {
      const error = "HTTP 200, but the body says failure";
      expect(judgeAnswer(answer(200, text), true)).toEqual({ kind: "rejected", status: 200, error, answer: text });
    }
  });

  test("the body of a 2xx that says nothing of the kind, in a field of its own, is a delivery", () => {
    const others = ["", "error", "null", "[]", '"error"', '{"status":"success"}', '{"status":399}', '{"success":null}'];
    others.push(
      '{"status":"no error"}',
      '{"status":"falsetto"}',
      '{"status":{"code":500}}',
      '{"data":{"status":"error"}}',
      '{"status":"error"',
    );
    for (const text of others) expect([text, kindOf(200, text)]).toEqual([text, "delivered"]);
  });

  test("the body of a 2xx is not read where the far end does not say failure in it", () => {
    for (const text of FAILURES) {
      expect(judgeAnswer(answer(202, text), false)).toEqual({ kind: "delivered", status: 202, answer: text });
    }
  });

  test("the body of a 2xx says nothing when it is longer than what was read", () => {
    const long = answer(200, '{"status":"error"}', { truncated: true });
    expect(judgeAnswer(long, true).kind).toBe("delivered");
  });

  test("the body of a 2xx may be anything, and is judged without an error", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(["delivered", "rejected"]).toContain(kindOf(200, text));
      }),
      RUN,
    );
  });
});

describe("what is kept of an answer", () => {
  test("what is kept of an answer is the beginning of its body, whole characters of at most 2,048 bytes", () => {
    const kept = (text: string) => judgeAnswer(answer(500, text), true);
    expect(kept("")).not.toHaveProperty("answer");
    expect(kept("x".repeat(2049))).toHaveProperty("answer", "x".repeat(2048));
    expect(kept("€".repeat(1000))).toHaveProperty("answer", "€".repeat(682));
    expect(kept(`x${"🐬".repeat(600)}`)).toHaveProperty("answer", `x${"🐬".repeat(511)}`);
    expect(judgeAnswer(answer(404, "gone"), true)).toMatchObject({ kind: "rejected", answer: "gone" });
  });

  test("what is kept of an answer has the wait that the far end asked for, where trying again is any use", () => {
    const wait = { retryAfterMs: 5_000 };
    expect(judgeAnswer(answer(503, "", wait), true)).toMatchObject(wait);
    expect(judgeAnswer(answer(503), true)).not.toHaveProperty("retryAfterMs");
    expect(judgeAnswer(answer(400, "", wait), true)).not.toHaveProperty("retryAfterMs");
  });
});

describe("a Retry-After", () => {
  const nowMs = Date.UTC(2026, 10, 22, 12, 0, 0);

  test("a Retry-After is read as seconds or as a date, and left out when it is neither", () => {
    const read = (header: string | null) => retryAfterMs(header, nowMs);
    expect([null, "", "soon"].map(read)).toEqual([undefined, undefined, undefined]);
    expect(["0", "120", " 7 "].map(read)).toEqual([0, 120_000, 7_000]);
    const dates = ["Sun, 22 Nov 2026 12:01:30 GMT", "Sun, 22 Nov 2026 11:00:00 GMT"];
    expect(dates.map(read)).toEqual([90_000, 0]);
  });

  test("a Retry-After is a number from 0 on or left out, whatever the header holds", () => {
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
