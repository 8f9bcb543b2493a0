import { describe, expect, test } from "vitest";
import { nextIn, rowsIn, withDataRead } from "../../../src/engine/history";
import { parseJson } from "../../../src/lib/json";
import { messageOf, oldestFirst } from "../../../src/engine/history-row";

const JAKARTA = "Asia/Jakarta";
const read = (row: unknown) => messageOf(row, "t-1", JAKARTA);

describe("a row of the conversation report", () => {
  test.each<[object, object]>([
    [
      { answer: false, message: "halo", customerName: "Farhan", agentName: "Siti", createdDate: "2021-09-20T08:00:00" },
      { from: "customer", by: "Farhan", text: "halo", at: "2021-09-20T01:00:00.000Z" },
    ],
    [
      { answer: true, text: "ya", customerName: "Farhan", agentName: "Siti", date: 1632099600000 },
      { from: "agent", by: "Siti", text: "ya", at: "2021-09-20T01:00:00.000Z" },
    ],
    [
      { Answer: "true", CONTENT: "ya", agent: { firstName: "Siti", lastName: "Aminah" }, sent_date: "2021-09-20" },
      { from: "agent", by: "Siti Aminah", text: "ya", at: "2021-09-19T17:00:00.000Z" },
    ],
    [
      { answer: "false", message: { text: "halo" }, contact: { name: "Farhan" }, timestamp: "1632099600" },
      { from: "customer", by: "Farhan", text: "halo", at: "2021-09-20T01:00:00.000Z" },
    ],
    [
      { answer: false, message: "", mediaLink: "https://m.example/1.jpg" },
      { from: "customer", by: "", text: "https://m.example/1.jpg" },
    ],
    [
      { answer: true, createdDate: "kemarin", messageDate: "2021-09-20T01:00:00Z" },
      { from: "agent", by: "", text: "", at: "2021-09-20T01:00:00.000Z" },
    ],
    [{}, { from: "customer", by: "", text: "" }],
  ])("a row of the conversation report %j becomes the message %j", (row, expected) => {
    expect(read(row)).toStrictEqual({ ...expected, raw: row });
  });

  test("a row of the conversation report is left out when it says that it is of another ticket, or is no row", () => {
    expect(read({ ticketNumber: "t-1" })).toBeDefined();
    for (const row of [{ ticketNumber: "t-2" }, { TicketNumber: "t-2" }, null, "text", 1, ["t-1"]]) {
      expect(read(row), JSON.stringify(row)).toBeUndefined();
    }
  });

  test.each([
    ['{"ticketNumber":20261122000000001}', true],
    ['{"ticketNumber":20261122000000002}', false],
    ['{"ticket":{"ticketNumber":"20261122000000001"}}', true],
    ['{"ticket":{"ticketNumber":20261122000000002}}', false],
    ['{"data":[{"info":{"ticket_no":"20261122000000002"}}]}', false],
    ['{"ticketNumber":"20261122000000001","previous":{"ticketNumber":"20261122000000002"}}', true],
    ['{"ticketNumber":null,"ticket":{"ticketNumber":"20261122000000002"}}', false],
    ['{"ticketNumber":{"id":20261122000000002}}', false],
    ['{"ticketNumber":{"id":20261122000000001,"state":"open"}}', true],
    ['{"ticketNumber":["20261122000000002"]}', false],
    ['{"ticketNumber":false}', false],
  ])("a row of the conversation report with %s is of the ticket 20261122000000001: %s", (text, isShown) => {
    const row = parseJson(text);
    const message = row.ok ? messageOf(row.value, "20261122000000001", JAKARTA) : undefined;
    expect(message !== undefined).toBe(isShown);
  });
});

describe("the messages of a history", () => {
  const message = (text: string, at?: string) =>
    ({ from: "customer", by: "", text, raw: {}, ...(at === undefined ? {} : { at }) }) as const;
  const texts = (...messages: ReturnType<typeof message>[]) => oldestFirst(messages).map(({ text }) => text);

  test("the messages of a history come oldest first, and in the engine's order where dates are equal or missing, whichever way it runs", () => {
    const [first, second, third] = [message("1", "2021-01-01"), message("2", "2021-01-01"), message("3", "2021-01-02")];
    expect(texts(first, second, third)).toEqual(["1", "2", "3"]);
    expect(texts(third, second, first)).toEqual(["1", "2", "3"]);
    expect(texts(first, message("?"), third)).toEqual(["1", "?", "3"]);
    expect(texts(third, message("?"), first)).toEqual(["1", "?", "3"]);
    expect(texts(message("a"), message("b"))).toEqual(["a", "b"]);
    expect(texts()).toEqual([]);
  });
});

describe("the rows of a history's answer", () => {
  test.each<[unknown, unknown[] | undefined]>([
    [{ status: "success", data: [1, 2] }, [1, 2]],
    [{ data: { conversations: [1], hasMore: true } }, [1]],
    [{ data: { anything: [1] } }, [1]],
    [[1], [1]],
    [{ status: "success", data: null }, []],
    [{ status: "success" }, []],
    [{ data: {} }, []],
    [undefined, []],
    [{ data: { answer: true } }, undefined],
    ["text", undefined],
  ])("the rows of a history's answer of %j are %j", (json, rows) => {
    expect(rowsIn(json)).toEqual(rows);
  });
});

describe("the cursor of the next page of a history", () => {
  test.each<[object, number, number, string | undefined]>([
    [{ hasMore: true, nextIndex: 50 }, 0, 50, "50"],
    [{ hasMore: "true", nextIndex: "50" }, 0, 50, "50"],
    [{ data: { hasMore: true, nextIndex: 1 } }, 0, 50, "1"],
    [{ paging: { has_more: true, next_index: 50 } }, 0, 50, "50"],
    [{ hasMore: false, nextIndex: 50 }, 0, 50, undefined],
    [{ hasMore: true }, 50, 50, "100"],
    [{ nextIndex: 50 }, 0, 50, "50"],
    [{ nextIndex: 50, totalResults: 50 }, 0, 50, undefined],
    [{ totalResults: 120 }, 50, 50, "100"],
    [{ totalResults: 100 }, 50, 50, undefined],
    // What leads back or nowhere would be read for ever.
    [{ hasMore: true, nextIndex: 50 }, 50, 50, undefined],
    [{ hasMore: true, nextIndex: 0 }, 50, 50, undefined],
    [{ hasMore: true, nextIndex: 50 }, 0, 0, undefined],
    [{ nextIndex: -1 }, 0, 50, undefined],
    [{}, 0, 50, undefined],
  ])(
    "the cursor of the next page of a history after %j at %d with %d rows is %s",
    (json, startIndex, rowCount, next) => {
      expect(nextIn(json, startIndex, rowCount)).toBe(next);
    },
  );
});

test("rows are found where data is a JSON text, with their numbers to the last digit", () => {
  const answer = { status: "success", data: '[{"ticketNumber":20261122000000001}]', hasMore: true };
  const json = withDataRead(answer);
  expect(JSON.stringify(rowsIn(json))).toBe(answer.data);
  expect(nextIn(json, 0, 1)).toBe("1");
  for (const other of ["", "no JSON", undefined, null, 7]) expect(rowsIn(withDataRead({ data: other }))).toEqual([]);
});
