import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inflate } from "../../../src/http/inflate";
import { RUN } from "../../unit/property";

const MOST = 256 * 1024;
const utf8 = (text: string) => new Uint8Array(new TextEncoder().encode(text));
const SENT = '{"message":"Halo Halo Halo 👍"}';

async function packed(what: string | Uint8Array, ...formats: ("gzip" | "deflate" | "deflate-raw")[]) {
  let stream = new Blob([what]).stream();
  for (const format of formats) stream = stream.pipeThrough(new CompressionStream(format));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function read(bytes: Uint8Array<ArrayBuffer>, encoding: string): Promise<string> {
  const inflated = await inflate(bytes, encoding, MOST);
  return inflated.ok ? new TextDecoder().decode(inflated.bytes) : inflated.problem;
}

describe("a packed body", () => {
  test.each<[string, Parameters<typeof packed>[1][]]>([
    ["gzip", ["gzip"]],
    ["GZIP", ["gzip"]],
    ["x-gzip", ["gzip"]],
    ["deflate", ["deflate"]],
    ["Deflate", ["deflate-raw"]],
    ["identity", []],
    ["", []],
    [" gzip , identity,", ["gzip"]],
    ["deflate, gzip", ["deflate", "gzip"]],
    ["gzip,gzip", ["gzip", "gzip"]],
  ])("a packed body is unpacked from %j", async (encoding, formats) => {
    expect(await read(await packed(SENT, ...formats), encoding)).toBe(SENT);
  });

  test("a packed body that is empty is empty, whatever it says", async () => {
    expect(await read(new Uint8Array(), "gzip")).toBe("");
  });

  test.each(["br", "zstd", "compress", "gzip, br", "constructor", "gzip;q=1", "aes128gcm"])(
    "a packed body of the coding %s cannot be read",
    async (encoding) => {
      expect(await read(await packed(SENT, "gzip"), encoding)).toBe("unsupported");
    },
  );

  test("a packed body names the coding that cannot be read", async () => {
    expect(await inflate(new Uint8Array(1), "gzip, BR", MOST)).toEqual({
      ok: false,
      problem: "unsupported",
      coding: "br",
    });
  });

  test("a packed body that is cut short, damaged or no such thing is corrupt", async () => {
    const whole = await packed(SENT, "gzip");
    const damaged = Uint8Array.from(whole, (byte, at) => (at === 14 ? 0xff - byte : byte));
    for (const bytes of [whole.slice(0, -3), whole.slice(0, 5), damaged, utf8(SENT)]) {
      expect(await read(bytes, "gzip")).toBe("corrupt");
    }
    expect(await read((await packed(SENT, "deflate")).slice(0, -3), "deflate")).toBe("corrupt");
  });

  test("a packed body may hold 256 KiB and not a byte more", async () => {
    const most = " ".repeat(MOST);
    expect(await read(await packed(most, "gzip"), "gzip")).toBe(most);
    expect(await read(await packed(`${most} `, "gzip"), "gzip")).toBe("too_large");
    expect(await read(await packed(`${most} `, "deflate-raw"), "deflate")).toBe("too_large");
  });

  test("a packed body gives what was packed, or says what is wrong, whatever the bytes", async () => {
    const any = fc.record({
      bytes: fc.uint8Array({ maxLength: 2_000 }),
      format: fc.constantFrom<("gzip" | "deflate" | "deflate-raw")[]>("gzip", "deflate", "deflate-raw"),
      place: fc.nat(),
      other: fc.nat(255),
    });
    await fc.assert(
      fc.asyncProperty(any, async ({ bytes, format, place, other }) => {
        const encoding = format === "gzip" ? "gzip" : "deflate";
        const whole = await packed(bytes, format);
        expect(await inflate(whole, encoding, MOST)).toEqual({ ok: true, bytes });
        const changed = await inflate(
          Uint8Array.from(whole, (byte, at) => (at === place % whole.length ? other : byte)),
          encoding,
          MOST,
        );
        expect(changed.ok ? "read" : changed.problem).toMatch(/^(read|corrupt|too_large)$/);
      }),
      { ...RUN, numRuns: 200 },
    );
  });
});
