import { describe, expect, test } from "vitest";
import { parseEvent, withStickerText, type RelayEvent } from "../../../src/model/event";

const incoming = {
  ticketNumber: "294c9ea88f7e649f8c37ae895ebab247",
  channel: "whatsapp",
  accountId: "628128778222",
  contactId: "d61d77735f3fe08bcf6d6b96fa06ba9d",
  messageType: "text",
  message: "Halo",
  mediaLink: "",
  customerName: "Farhan Akbar",
  createdDate: "2021-04-28T15:39:37.945",
  owner: "82ab0fd5cfd1e80d1ff97c0cfc9aaaa",
  groupId: "",
  language: "",
};
const { ticketNumber, channel, messageType, message, mediaLink, customerName, owner } = incoming;
const outgoing = { ticketNumber, channel, messageType, message, mediaLink, customerName };
const command = { ticketNumber, channel, event: "Close" };
const SAMPLES = { incoming, outgoing, command, ownedCommand: { ...command, owner } };
type Shape = keyof typeof SAMPLES;

/** The problems by their path; none when the event fits. */
function problems(shape: Shape, json: unknown): Record<string, string> {
  const parsed = parseEvent(shape, json);
  return parsed.ok ? {} : Object.fromEntries(parsed.problems.map((problem) => [problem.path, problem.message]));
}

function eventOf(shape: Shape, json: unknown): RelayEvent {
  const parsed = parseEvent(shape, json);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.event;
}

const without = (json: object, field: string) =>
  Object.fromEntries(Object.entries(json).filter(([key]) => key !== field));

describe("an event that fits", () => {
  test.each(Object.entries(SAMPLES) as [Shape, object][])(
    "an event that fits goes on as it came: %s",
    (shape, sample) => {
      expect(eventOf(shape, sample)).toEqual(sample);
    },
  );

  test.each([
    ["TEXT", "text"],
    ["Image", "image"],
    ["LOCATION", "Location"],
    ["location", "Location"],
    ["Location", "Location"],
    ["Sticker", "sticker"],
    ["stiker", "sticker"],
  ])("an event that fits has its messageType %s spelled %s", (given, spelled) => {
    const fit = { ...incoming, messageType: given, message: "-6.2,106.8", mediaLink: "https://m.example/1" };
    expect(eventOf("incoming", fit).messageType).toBe(spelled);
  });

  test.each(["Close", "close", "CLOSE"])("an event that fits has its command %s spelled Close", (event) => {
    expect(eventOf("command", { ...command, event })["event"]).toBe("Close");
  });

  test("an event that fits has GroupId and Language, as the Indonesian page writes them, spelled as the English one does", () => {
    const { groupId: _, language: __, ...rest } = incoming;
    const event = eventOf("incoming", { ...rest, GroupId: "g1", Language: "id" });
    expect(event).toEqual({ ...rest, groupId: "g1", language: "id" });
  });

  test.each([
    ["incoming", "groupId"],
    ["incoming", "language"],
    ["outgoing", "createdDate"],
    ["outgoing", "owner"],
    ["command", "owner"],
  ] as [Shape, string][])("an event that fits may be an %s without %s", (shape, field) => {
    const sample = without(SAMPLES[shape], field);
    expect(eventOf(shape, sample)).toEqual(sample);
  });

  test("an event that fits may be a reply that leaves out the customer's name, its empty link and, with an owner, its channel", () => {
    const { channel: _, customerName: __, mediaLink: ___, ...reply } = { ...outgoing, owner };
    expect(eventOf("outgoing", reply)).toEqual({ ...reply, mediaLink: "" });
  });

  test.each(["-6.2088,106.8456", "0,0", "+6.2, -106.8", " 90 , 180 ", "-90.0,-180.000"])(
    "an event that fits may have the place %s",
    (place) => {
      expect(problems("incoming", { ...incoming, messageType: "Location", message: place })).toEqual({});
    },
  );

  test("an event that fits may have texts as long as the limits", () => {
    const longest = {
      ...incoming,
      ticketNumber: "t".repeat(128),
      owner: "o".repeat(128),
      channel: "c".repeat(128),
      message: "m".repeat(65_536),
      customerName: "n".repeat(1024),
      mediaLink: "l".repeat(8192),
    };
    expect(problems("incoming", longest)).toEqual({});
    const link = `https://m.example/${"l".repeat(8192 - "https://m.example/".length)}`;
    expect(problems("incoming", { ...incoming, messageType: "file", mediaLink: link })).toEqual({});
  });
});

describe("an event that does not fit", () => {
  test.each([undefined, null, true, 1, "text", [], [incoming]].map((json) => ({ json })))(
    "an event is refused that is no object: $json",
    ({ json }) => {
      for (const shape of Object.keys(SAMPLES) as Shape[]) {
        expect(problems(shape, json)).toEqual({ "": "must be one JSON object" });
      }
    },
  );

  const IDS_AND_NAMES = new Set(["ticketNumber", "channel", "owner", "messageType", "event"]);
  const NEEDED: Record<Shape, string[]> = {
    incoming: Object.keys(incoming).filter((field) => field !== "groupId" && field !== "language"),
    outgoing: ["ticketNumber", "channel", "messageType", "message"],
    command: Object.keys(command),
    ownedCommand: ["ticketNumber", "channel", "event", "owner"],
  };
  describe.each(Object.entries(NEEDED) as [Shape, string[]][])("as an %s", (shape, fields) => {
    test.each(fields)(`an ${shape} is refused without %s, and that is said of that field alone`, (field) => {
      expect(problems(shape, without(SAMPLES[shape], field))).toEqual({ [field]: "is required" });
    });

    test.each(fields)(`an ${shape} is refused with something else than a text for %s`, (field) => {
      for (const other of [["text"], { text: "text" }, ...(IDS_AND_NAMES.has(field) ? [7, true] : [])]) {
        expect(problems(shape, { ...SAMPLES[shape], [field]: other })).toEqual({
          [field]: "must be a text in double quotes",
        });
      }
    });
  });

  test("an event is refused with one problem for each field, and all of them at once", () => {
    const said = problems("incoming", {});
    expect(Object.keys(said).toSorted()).toEqual((NEEDED.incoming ?? []).toSorted());
    expect(new Set(Object.values(said))).toEqual(new Set(["is required"]));
  });

  test.each(["ticketNumber", "owner", "channel"])(
    "an event is refused for an id that is empty, long or unprintable: %s",
    (field) => {
      const said = (value: string) => problems("incoming", { ...incoming, [field]: value })[field];
      expect(said("")).toBe("must not be empty");
      expect(said("x".repeat(129))).toBe("must be at most 128 characters long");
      for (const control of ["\t", "\n", "\r", "\u007f", "\u0085"]) {
        expect(said(`a${control}b`)).toBe("must not contain control characters");
      }
    },
  );

  test.each([
    ["message", 65_536, "65,536"],
    ["mediaLink", 8192, "8,192"],
    ["customerName", 1024, "1,024"],
    ["accountId", 1024, "1,024"],
    ["contactId", 1024, "1,024"],
    ["createdDate", 1024, "1,024"],
    ["groupId", 1024, "1,024"],
    ["language", 1024, "1,024"],
  ])("an event is refused for a %s of more than %i characters", (field, most, said) => {
    const long = { ...incoming, [field]: "x".repeat(most + 1) };
    expect(problems("incoming", long)).toEqual({ [field]: `must be at most ${said} characters long` });
  });

  test.each(["", "texts", "carousel", "constructor", "__proto__", "valueof"])(
    "an event is refused for the messageType %j",
    (type) => {
      const said = "must be one of text, image, video, audio, file, Location";
      expect(problems("outgoing", { ...outgoing, messageType: type })).toEqual({ messageType: said });
    },
  );

  test.each(["", "Open", "Closed", "constructor"])("an event is refused for the command %j", (event) => {
    expect(problems("command", { ...command, event })).toEqual({ event: "must be Close, the only command there is" });
  });

  test.each(["", null])("an event is refused for a text that is %j", (empty) => {
    const said = { message: "must not be empty for a text" };
    expect(problems("incoming", { ...incoming, message: empty })).toEqual(said);
    expect(problems("outgoing", { ...outgoing, messageType: "TEXT", message: empty })).toEqual(said);
  });

  test.each([
    "",
    "Jakarta",
    "-6.2088",
    "91,0",
    "0,181",
    "1,2,3",
    "-6,2;106,8",
    "NaN,NaN",
    "1e2,1e1",
    "1e,1",
    "0x1,0x1",
  ])("an event is refused for the place %j", (place) => {
    const said = problems("incoming", { ...incoming, messageType: "location", message: place });
    expect(said).toEqual({ message: "must be latitude,longitude for a Location, such as -6.2088,106.8456" });
  });

  test.each(["image", "Video", "AUDIO", "file"])("an event is refused for %s without a link", (type) => {
    for (const link of [
      "",
      null,
      "media/1.png",
      "ftp://m.example/1",
      "javascript:alert(1)",
      "data:image/png;base64,",
    ]) {
      const said = problems("incoming", { ...incoming, messageType: type, mediaLink: link });
      expect(said).toEqual({ mediaLink: `must be an http or https URL for a message of type ${type.toLowerCase()}` });
    }
  });

  test("a reply is refused with a file and without its link", () => {
    const { mediaLink: _, ...file } = { ...outgoing, messageType: "file" };
    expect(problems("outgoing", file)).toEqual({ mediaLink: "is required" });
  });

  test("an event is refused because a field of it is nested without end", () => {
    const deep = JSON.parse("[".repeat(2000) + "]".repeat(2000)) as unknown;
    expect(Object.keys(problems("incoming", { ...incoming, extra: deep }))).toEqual(["extra"]);
  });

  test("an event is refused because it has more fields than anybody needs", () => {
    const many = (count: number) => ({ ...incoming, extra: Array.from({ length: count }, () => ({ a: 1 })) });
    expect(problems("incoming", many(400))).toEqual({});
    expect(Object.keys(problems("incoming", many(5000)))).toEqual([""]);
  });

  test("what is said of a refused event has no word of its content in it", () => {
    const said = JSON.stringify(
      problems("incoming", { ...incoming, messageType: "secret-word", owner: "\nsecret-word" }),
    );
    expect(said).not.toContain("secret-word");
  });
});

describe("a sticker", () => {
  const word = "Stiker";

  test("a message of type sticker becomes a text in the tenant's word, from either side", () => {
    const sticker = { ...incoming, messageType: "sticker", message: "" };
    for (const kind of ["incoming", "outgoing"] as const) {
      expect(withStickerText(kind, sticker, word)).toEqual({ ...sticker, messageType: "text", message: "Stiker" });
    }
  });

  test.each(["Sticker", "Stiker"])("the text %s, which stands for a sticker, becomes the tenant's word", (text) => {
    expect(withStickerText("incoming", { ...incoming, message: text }, "[sticker]").message).toBe("[sticker]");
  });

  test("an agent's words are not taken for a sticker", () => {
    const reply = { ...outgoing, message: "Sticker" };
    expect(withStickerText("outgoing", reply, word)).toEqual(reply);
  });

  test.each(["A Sticker", "sticker please", "Halo", ""])(
    "a customer's sentence is not taken for a sticker: %j",
    (text) => {
      const event = { ...incoming, message: text };
      expect(withStickerText("incoming", event, word)).toEqual(event);
    },
  );

  test("a media message is not taken for a sticker", () => {
    const event = { ...incoming, messageType: "image", message: "Sticker", mediaLink: "https://m.example/1" };
    expect(withStickerText("incoming", event, word)).toEqual(event);
  });
});
