import { describe, expect, test } from "vitest";
import { parseJson } from "../../../src/lib/json";
import { parseEvent } from "../../../src/model/event";

const SAMPLE = {
  ticketNumber: "t1",
  channel: "whatsapp",
  accountId: "628128778222",
  contactId: "c1",
  messageType: "text",
  message: "Halo",
  mediaLink: "",
  customerName: "Farhan",
  createdDate: "2021-04-28T15:39:37.945",
  owner: "o1",
  groupId: "",
  language: "",
};
type Shape = Parameters<typeof parseEvent>[0];

/** An event as it is after parsing, with fields given as JSON text as well: JSON.stringify writes none of these numbers. */
function received(fields: object, json = "", shape: Shape = "incoming"): Record<string, unknown> {
  const text = `${JSON.stringify({ ...SAMPLE, ...fields }).slice(0, -1)}${json === "" ? "" : `,${json}`}}`;
  const parsed = parseJson(text, { exactNumbers: true });
  const event = parsed.ok ? parseEvent(shape, parsed.value) : { ok: false as const, problems: parsed.message };
  if (!event.ok) throw new Error(JSON.stringify(event.problems));
  return event.event;
}
const problemsOf = (fields: object) => {
  const parsed = parseEvent("incoming", { ...SAMPLE, ...fields });
  return parsed.ok ? [] : parsed.problems.map(({ path }) => path);
};

const TEXTS = ["accountId", "contactId", "message", "mediaLink", "customerName", "createdDate", "groupId", "language"];
const location = { messageType: "location" };

describe("null", () => {
  test.each(TEXTS)("null for %s is an empty text", (field) => {
    expect(received({ messageType: "sticker", [field]: null })[field]).toBe("");
  });

  test.each(["ticketNumber", "channel", "owner", "messageType"])("an event with null for %s is refused", (field) => {
    expect(problemsOf({ [field]: null })).toEqual([field]);
  });

  test("null in a reply or a Close is an empty text as well", () => {
    expect(received({ customerName: null, createdDate: null }, "", "outgoing")).toMatchObject({
      customerName: "",
      createdDate: "",
    });
    expect(received({ customerName: null, event: "Close" }, "", "command")["customerName"]).toBe("");
  });

  test("null in GroupId and Language leaves what groupId and language say", () => {
    expect(received({ groupId: null, GroupId: "g", Language: null })).toMatchObject({ groupId: "g", language: "" });
  });

  test("null in a field that the relay does not know stays null", () => {
    expect(received({ nothing: null, more: { nothing: null } })).toMatchObject({
      nothing: null,
      more: { nothing: null },
    });
  });
});

describe("a text that a store cannot hold", () => {
  test("a text that a store cannot hold loses its controls, and keeps tab, line feed and return", () => {
    const controls = String.fromCharCode(...Array.from({ length: 32 }, (_, index) => index));
    expect(received({ message: `a${controls}b` })["message"]).toBe("a\t\n\rb");
    expect(received({ message: "a\u007f\u0085\u2028b" })["message"]).toBe("a\u007f\u0085\u2028b");
  });

  test("a text that a store cannot hold has half a surrogate pair replaced, and a whole one that a control divided put together", () => {
    expect(received({ message: "a\ud83d b\ude00" })["message"]).toBe("a\ufffd b\ufffd");
    expect(received({ message: "\ud83d\u0000\ude00" })["message"]).toBe("😀");
  });

  test("a text that a store cannot hold is repaired in names and fields that the relay does not know, however deep", () => {
    expect(received({ more: [{ "a\u0000": ["\u0001b", "\ud800"] }] })["more"]).toEqual([{ a: ["b", "\ufffd"] }]);
  });

  test("a text that a store cannot hold is repaired in ids, type and command", () => {
    const sent = { ticketNumber: "t\u00001", owner: "\u0007o1", channel: "\ud800", messageType: "te\u0000xt" };
    expect(received(sent)).toMatchObject({ ticketNumber: "t1", owner: "o1", channel: "\ufffd", messageType: "text" });
    expect(received({ event: "Clo\u0000se" }, "", "command")["event"]).toBe("Close");
  });

  test("a text that a store cannot hold never takes the place of another field by a name that is repaired", () => {
    const sent = { "owner\u0000": "another", "\u0000owner": "another", "x\u0000": 1, x: 2 };
    expect(received(sent)).toEqual({ ...SAMPLE, x: 2 });
  });

  test("a text of nothing but controls is an empty text", () => {
    expect(problemsOf({ message: "\u0000" })).toEqual(["message"]);
  });
});

describe("a place", () => {
  test.each([
    ["-5.0E-4,109.3222", "-0.0005,109.3222"],
    ["-5.0E-4, +109.3222", "-0.0005,109.3222"],
    ["1.0E-5,1.0932E2", "0.00001,109.32"],
    ["1.0E-7,-1.2345678E-8", "0.0000001,-0.000000012345678"],
    ["9e1,-18E+1", "90,-180"],
    ["-0.0E0,-1E-99999999999", "0,0"],
    [" 1e0 ,2", "1,2"],
    ["1E-5,109.320", "0.00001,109.32"],
  ])("the place %s goes on as %s", (message, plain) => {
    expect(received({ ...location, message })["message"]).toBe(plain);
  });

  test.each(["-6.2088,106.8456", "0,0", "+6.2, -106.8", " 90 , 180 ", "-90.0,-180.000", "-0.0,1"])(
    "a place without an exponent goes on as it came: %j",
    (message) => {
      expect(received({ ...location, message })["message"]).toBe(message);
    },
  );

  test("a place lies within the poles, and only a Location has one", () => {
    for (const message of ["9.1e1,0", "0,1.9E2", "1e400,0"]) {
      expect(problemsOf({ ...location, message })).toEqual(["message"]);
    }
    expect(received({ message: "1e1,1e1" })["message"]).toBe("1e1,1e1");
  });
});

describe("a link", () => {
  test.each([
    ["  https://m.example/a b.jpg\n", "https://m.example/a%20b.jpg"],
    ['HTTP://M.Example:80/"x"?q=a b|c', "http://m.example/%22x%22?q=a%20b|c"],
    [
      "https://bücher.example/Surat Kuasa – é.pdf",
      "https://xn--bcher-kva.example/Surat%20Kuasa%20%E2%80%93%20%C3%A9.pdf",
    ],
    [String.raw`https:\\m.example\a`, "https://m.example/a"],
    ["https://m.example/a\nb", "https://m.example/ab"],
    ["https://m.example/a%20b?X-Amz-Signature=0%2F1#x", "https://m.example/a%20b?X-Amz-Signature=0%2F1#x"],
    ["https://m.example", "https://m.example/"],
  ])("the link %j goes on as %s", (mediaLink, written) => {
    expect(received({ messageType: "file", mediaLink })["mediaLink"]).toBe(written);
    expect(written).toBe(new URL(mediaLink).href);
  });

  test("a link that is none is trimmed, and refused only where one is needed", () => {
    expect(received({ mediaLink: " ftp://m.example/a b " })["mediaLink"]).toBe("ftp://m.example/a b");
    expect(received({ mediaLink: " " })["mediaLink"]).toBe("");
    expect(problemsOf({ messageType: "file", mediaLink: "https://a b/" })).toEqual(["mediaLink"]);
  });

  test("a link is measured as it is written", () => {
    const long = (letter: string) => ({ messageType: "file", mediaLink: `https://m.example/${letter.repeat(3_000)}` });
    expect(problemsOf(long("a"))).toEqual([]);
    expect(problemsOf(long("é"))).toEqual(["mediaLink"]);
  });
});

describe("a number or a boolean", () => {
  test.each([
    ["628128778222", "628128778222"],
    ["12345678901234567890", "12345678901234567890"],
    ["1.50", "1.50"],
    ["-0", "-0"],
    ["1E3", "1E3"],
    ["0.1234567890123456789", "0.1234567890123456789"],
    ["1e400", "1e400"],
    ["true", "true"],
    ["false", "false"],
  ])("%s is the text %s where a text belongs", (json, text) => {
    for (const field of TEXTS) expect(received({}, `"${field}":${json}`)[field]).toBe(text);
  });

  test.each(["ticketNumber", "channel", "owner", "messageType"])("a number or a boolean is no text for %s", (field) => {
    for (const value of [7, true]) expect(problemsOf({ [field]: value })).toEqual([field]);
    expect(() => received({}, `"${field}":12345678901234567890`)).toThrow(field);
  });

  test("a number or a boolean stays what it is where the relay does not know the field", () => {
    const json = '"n":1.50,"more":{"big":12345678901234567890,"is":true}';
    expect(JSON.stringify(received({}, json))).toContain(json);
  });

  test("a number of many digits counts as one field", () => {
    const numbers = Array.from({ length: 900 }, () => "1.0").join(",");
    expect(JSON.stringify(received({}, `"n":[${numbers}]`))).toContain(`[${numbers}]`);
  });
});

test("the limits count what is left after the repair", () => {
  expect(problemsOf({ message: `${"\u0000".repeat(70_000)}Halo`, ticketNumber: `${"\u0000".repeat(200)}1` })).toEqual(
    [],
  );
  expect(problemsOf({ message: "👍".repeat(32_768) })).toEqual([]);
  expect(problemsOf({ message: `${"👍".repeat(32_768)}a` })).toEqual(["message"]);
});
