/** Bodies that came packed, by their `content-encoding`. */

type Format = ConstructorParameters<typeof DecompressionStream>[0];

/** How each coding is unpacked: `deflate` is zlib's by the standard, and raw from some senders. */
const FORMATS: Record<string, readonly Format[]> = {
  gzip: ["gzip"],
  "x-gzip": ["gzip"],
  deflate: ["deflate", "deflate-raw"],
};
/**
 * So much goes into the runtime's inflater at a time. It unpacks all that it is given whether or not anybody reads on, and
 * up to a thousand bytes come out for one that goes in.
 */
const SLICE_BYTES = 128;

export type Inflated =
  | { ok: true; bytes: Uint8Array<ArrayBuffer> }
  | { ok: false; problem: "unsupported"; coding: string }
  | { ok: false; problem: "corrupt" | "too_large" };

/** The body as it was before its sender packed it. What comes out past `mostBytes` is not unpacked. */
export async function inflate(
  sent: Uint8Array<ArrayBuffer>,
  contentEncoding: string,
  mostBytes: number,
): Promise<Inflated> {
  const codings = contentEncoding
    .toLowerCase()
    .split(",")
    .map((coding) => coding.trim())
    .filter((coding) => coding !== "" && coding !== "identity");
  const coding = codings.find((name) => !Object.hasOwn(FORMATS, name));
  if (coding !== undefined) return { ok: false, problem: "unsupported", coding };
  let bytes = sent;
  // They are named in the order in which they were applied. An empty body is empty, whatever it says of itself.
  for (const name of bytes.byteLength === 0 ? [] : codings.toReversed()) {
    const unpacked = await firstThatFits(bytes, FORMATS[name] ?? [], mostBytes);
    if (unpacked === "corrupt" || unpacked === "too_large") return { ok: false, problem: unpacked };
    bytes = unpacked;
  }
  return { ok: true, bytes };
}

async function firstThatFits(packed: Uint8Array, formats: readonly Format[], mostBytes: number) {
  for (const format of formats) {
    const unpacked = await unpack(packed, format, mostBytes);
    if (unpacked !== "corrupt") return unpacked;
  }
  return "corrupt";
}

async function unpack(packed: Uint8Array, format: Format, mostBytes: number) {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of inSlices(packed).pipeThrough(new DecompressionStream(format))) {
      bytes += chunk.byteLength;
      if (bytes > mostBytes) return "too_large";
      chunks.push(chunk);
    }
  } catch {
    return "corrupt";
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

function inSlices(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream(
    {
      pull(controller) {
        if (at >= bytes.byteLength) return controller.close();
        controller.enqueue(bytes.slice(at, (at += SLICE_BYTES)));
      },
    },
    { highWaterMark: 0 },
  );
}
