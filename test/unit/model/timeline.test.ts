import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LaneName } from "../../../src/model/answers";
import { LANES, PAGE_BYTES, PAGE_SIZE, pageOf, type Page, type Sized } from "../../../src/model/timeline";
import { RUN } from "../property";

const NEWEST = Number.MAX_SAFE_INTEGER;

type Numbered = { lane: LaneName; sequence: number; acceptedAtMs: number };

const message = (lane: LaneName, sequence: number, acceptedAtMs: number): Numbered => ({
  lane,
  sequence,
  acceptedAtMs,
});

/** Two lanes in the order of acceptance; several events may fall into one millisecond. */
const conversation = fc
  .array(fc.record({ lane: fc.constantFrom(...LANES), laterMs: fc.integer({ min: 0, max: 2 }) }), {
    maxLength: 450,
    size: "max",
  })
  .map((events) => {
    const lanes: Record<LaneName, Numbered[]> = { toDesk: [], toDolphins: [] };
    let nowMs = Date.UTC(2026, 0, 1);
    for (const { lane, laterMs } of events) {
      nowMs += laterMs;
      lanes[lane].push(message(lane, lanes[lane].length + 1, nowMs));
    }
    return lanes;
  });
type Conversation = Record<LaneName, Numbered[]>;

const sized = (shown: Numbered, bytes = 1): Sized<Numbered> => ({ shown, bytes, sequence: shown.sequence });

/** What the store would read for a page: the newest before a sequence, and one more than fits. */
function rowsFor(lanes: Conversation, page: Page): Record<LaneName, Sized<Numbered>[]> {
  const read = (lane: LaneName) => {
    const { before } = page[lane] ?? { before: 0 };
    return lanes[lane]
      .filter((one) => one.sequence < before)
      .toReversed()
      .slice(0, PAGE_SIZE + 1)
      .map((one) => sized(one));
  };
  return { toDesk: read("toDesk"), toDolphins: read("toDolphins") };
}

/** The page that a `next` asks for, when these lanes are shown. */
function following(next: string, shown: LaneName[]): Page {
  const sequences = next.split(",").map(Number);
  expect(sequences).toHaveLength(shown.length);
  return Object.fromEntries(shown.map((lane, index) => [lane, { before: sequences[index] ?? 0 }]));
}

function allPages(lanes: Conversation, shown: LaneName[]): Numbered[][] {
  const pages: Numbered[][] = [];
  let page: Page | undefined = Object.fromEntries(shown.map((lane) => [lane, { before: NEWEST }]));
  while (page) {
    const { messages, next }: ReturnType<typeof pageOf<Numbered>> = pageOf(page, rowsFor(lanes, page));
    pages.push(messages);
    expect(pages.length).toBeLessThan(20);
    page = next === undefined ? undefined : following(next, shown);
  }
  return pages;
}

describe("the pages of a timeline", () => {
  test.each([[LANES], [["toDesk"]], [["toDolphins"]]] as LaneName[][][])(
    "the pages of a timeline of the lanes %j show every message exactly once, in order",
    (shown) => {
      fc.assert(
        fc.property(conversation, (lanes) => {
          const pages = allPages(lanes, [...shown]);
          const all = pages.toReversed().flat();
          const total = shown.reduce((sum, lane) => sum + lanes[lane].length, 0);
          expect(all).toHaveLength(total);
          for (const lane of LANES) {
            const shownOf = all.filter((one) => one.lane === lane).map((one) => one.sequence);
            expect(shownOf).toEqual(shown.includes(lane) ? lanes[lane].map((one) => one.sequence) : []);
          }
          const times = all.map((one) => one.acceptedAtMs);
          expect(times).toEqual(times.toSorted((a, b) => a - b));
          // Every page but the oldest is full, and the oldest is empty only when there is nothing at all.
          for (const page of pages.slice(0, -1)) expect(page).toHaveLength(PAGE_SIZE);
          expect(pages.at(-1)?.length === 0).toBe(total === 0);
        }),
        { ...RUN, numRuns: 50 },
      );
    },
  );

  test("the pages of a timeline end without a next when all is shown", () => {
    const only = message("toDesk", 1, 0);
    const page: Page = { toDesk: { before: NEWEST }, toDolphins: { before: NEWEST } };
    expect(pageOf(page, { toDesk: [sized(only)], toDolphins: [] })).toEqual({ messages: [only] });
    expect(pageOf(page, { toDesk: [], toDolphins: [] })).toEqual({ messages: [] });
  });

  test("the pages of a timeline have nothing more after exactly 100", () => {
    const toDesk = Array.from({ length: 100 }, (_, index) => sized(message("toDesk", 100 - index, 100 - index)));
    expect(pageOf({ toDesk: { before: NEWEST } }, { toDesk, toDolphins: [] })).not.toHaveProperty("next");
  });

  test("the pages of a timeline name, as next, the sequence before which the next page ends", () => {
    const toDesk = Array.from({ length: 101 }, (_, index) => sized(message("toDesk", 250 - index, 1000 - index)));
    const { messages, next } = pageOf({ toDesk: { before: 251 } }, { toDesk, toDolphins: [] });
    expect(messages.map((one) => one.sequence).slice(0, 2)).toEqual([151, 152]);
    expect(messages.at(-1)?.sequence).toBe(250);
    expect(next).toBe("151");
  });

  test("the pages of a timeline go on in the other lane from where it was when a page shows none of it", () => {
    const toDesk = Array.from({ length: 101 }, (_, index) => sized(message("toDesk", 101 - index, 9000 - index)));
    const toDolphins = [sized(message("toDolphins", 4, 1))];
    const page: Page = { toDesk: { before: NEWEST }, toDolphins: { before: 5 } };
    expect(pageOf(page, { toDesk, toDolphins }).next).toBe("2,5");
  });

  test("the pages of a timeline end where their bytes do, in whichever lane that is, and hold one message at least", () => {
    const half = PAGE_BYTES / 2;
    const toDesk = [9, 8, 7].map((sequence) => sized(message("toDesk", sequence, sequence), half));
    const toDolphins = [sized(message("toDolphins", 3, 1), PAGE_BYTES + 1)];
    const page: Page = { toDesk: { before: 10 }, toDolphins: { before: 4 } };
    const first = pageOf(page, { toDesk, toDolphins });
    expect(first).toMatchObject({ messages: [{ sequence: 8 }, { sequence: 9 }], next: "8,4" });
    const second = pageOf(following("8,4", [...LANES]), { toDesk: toDesk.slice(2), toDolphins });
    expect(second).toMatchObject({ messages: [{ sequence: 7 }], next: "7,4" });
    const third = pageOf(following("7,4", [...LANES]), { toDesk: [], toDolphins });
    expect(third).toEqual({ messages: [toDolphins[0]?.shown] });
  });
});
