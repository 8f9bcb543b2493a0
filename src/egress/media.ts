import { utf8 } from "../crypto/bytes";
import { errorText } from "../lib/log";
import { extensionOf, fittingName, nameOf } from "./file-name";
import { fileType, HEAD_BYTES, type MediaType } from "./file-type";
import { begin, type Bounds, type Form } from "./http";

/** Media on its way through. `release` must be called when it is done with, read to its end or not: it holds a connection. */
export type Media = {
  name: string;
  type: string;
  length: number;
  stream: ReadableStream<Uint8Array>;
  /** Why it did not come to its end, when that is the fault of where it comes from. */
  failure: () => string | undefined;
  release: () => void;
};

/** `transient` says that it may be there another time. */
type NoMedia = { error: string; transient: boolean };

/**
 * Downloads media, under a time limit for all of it. Where its length is known it streams through as it is read, and is held
 * in memory otherwise. Never throws.
 */
export async function download(
  request: Bounds & { url: string; kind: MediaType; mostBytes: number },
): Promise<{ media: Media } | NoMedia> {
  const { url, kind, mostBytes, timeoutMs } = request;
  const exchange = begin(request);
  if ("refused" in exchange) return { error: `the media's ${exchange.refused}`, transient: exchange.transient };
  const { end: release } = exchange;
  try {
    const response = await exchange.response;
    const refused = refusal(response, mostBytes);
    if (refused || !response.body) {
      await response.body?.cancel();
      release();
      return refused ?? { error: "the media is empty", transient: false };
    }
    const length = lengthOf(response);
    const reader = response.body.getReader();
    const chunks = await readAtLeast(reader, length === undefined ? mostBytes + 1 : HEAD_BYTES);
    const bytes = sizeOf(chunks);
    // The connection may end without saying that it was too early.
    if (bytes < Math.min(length ?? 0, HEAD_BYTES)) throw new Error(`it is not the ${length} bytes that were said`);
    const [said, contentType] = [nameOf(response.headers.get("content-disposition"), url), typeOf(response)];
    const file = fileType(await headOf(chunks), { kind, extension: extensionOf(said), contentType });
    if (!file || (length === undefined && bytes > mostBytes)) {
      await reader.cancel();
      release();
      return { error: file ? tooLong(mostBytes) : "what came is nothing that is attached", transient: false };
    }
    const named = { name: fittingName(said, kind, file), type: file.type, release };
    if (length !== undefined) return { media: { ...named, length, ...exactly(chunks, reader, length) } };
    release();
    return { media: { ...named, length: bytes, stream: new Blob(chunks).stream(), failure: () => undefined } };
  } catch (error) {
    const why = exchange.isLate() ? `the media did not come within ${timeoutMs} ms` : `no media: ${errorText(error)}`;
    release();
    return { error: why, transient: true };
  }
}

function refusal(response: Response, mostBytes: number): NoMedia | undefined {
  const { status } = response;
  if (status !== 200) {
    const transient = status === 408 || status === 425 || status === 429 || status >= 500;
    return { error: `the media's server answered HTTP ${status}`, transient };
  }
  const length = lengthOf(response) ?? 1;
  if (length > mostBytes) return { error: tooLong(mostBytes), transient: false };
  return length > 0 && response.body ? undefined : { error: "the media is empty", transient: false };
}

const tooLong = (mostBytes: number) => `the media is longer than ${mostBytes} bytes`;

const typeOf = ({ headers }: Response) => headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();

/** Of an encoded body the length that is said is not the length that is read. */
function lengthOf({ headers }: Response): number | undefined {
  const said = headers.get("content-length");
  return said !== null && /^\d+$/.test(said) && !headers.has("content-encoding") ? Number(said) : undefined;
}

type Reader = ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;

/** So many bytes of it, and what came with them, or all there are. */
async function readAtLeast(reader: Reader, least: number): Promise<Uint8Array<ArrayBuffer>[]> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (let bytes = 0; bytes < least;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    bytes += value.byteLength;
  }
  return chunks;
}

const sizeOf = (chunks: Uint8Array[]) => chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);

const headOf = async (chunks: Uint8Array<ArrayBuffer>[]) =>
  new Uint8Array(await new Blob(chunks).slice(0, HEAD_BYTES).arrayBuffer());

/**
 * The chunks that were read and all that follow, of which there have to be so many bytes. Remembers when they break off,
 * unless nobody wanted them any more.
 */
function exactly(chunks: Uint8Array[], reader: Reader, length: number): Pick<Media, "stream" | "failure"> {
  let left = length;
  let isWanted = true;
  let failure: string | undefined;
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const first = chunks.shift();
        const { done, value } = first ? { done: false as const, value: first } : await reader.read();
        left -= value?.byteLength ?? 0;
        if (left < 0 || (done && left > 0)) throw new Error(`it is not the ${length} bytes that were said`);
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        if (isWanted) failure = `the media broke off: ${errorText(error)}`;
        controller.error(error);
      }
    },
    cancel: (reason) => {
      isWanted = false;
      return reader.cancel(reason);
    },
  });
  return { stream, failure: () => failure };
}

/** A form with media in it (multipart/form-data). It is written as the media is read, with its length said before. */
export function formWith(fields: Record<string, string>, field: string, media: Media): Form {
  const boundary = `relay-${crypto.randomUUID()}`;
  const part = (lines: string[], value: string) => `--${boundary}\r\n${lines.join("\r\n")}\r\n\r\n${value}`;
  const disposition = (of: string) => `content-disposition: form-data; name="${quoted(of)}"`;
  const texts = Object.entries(fields).map(([key, value]) => `${part([disposition(key)], value)}\r\n`);
  const start = part([`${disposition(field)}; filename="${quoted(media.name)}"`, `content-type: ${media.type}`], "");
  const [head, tail] = [utf8(texts.join("") + start), utf8(`\r\n--${boundary}--\r\n`)];
  const stream = () => {
    const { readable, writable } = new FixedLengthStream(head.byteLength + media.length + tail.byteLength);
    // What goes wrong in writing goes wrong in reading as well, and the request reads it.
    void writeAround(head, media.stream, tail, writable).catch(() => undefined);
    return readable;
  };
  return { contentType: `multipart/form-data; boundary=${boundary}`, stream };
}

/** As the WHATWG's "multipart/form-data encoding algorithm" has it for names. */
const quoted = (name: string) => name.replaceAll('"', "%22").replaceAll("\r", "%0D").replaceAll("\n", "%0A");

async function writeAround(
  head: Uint8Array,
  stream: ReadableStream<Uint8Array>,
  tail: Uint8Array,
  writable: WritableStream<Uint8Array>,
): Promise<void> {
  const before = writable.getWriter();
  await before.write(head);
  before.releaseLock();
  await stream.pipeTo(writable, { preventClose: true });
  const after = writable.getWriter();
  await after.write(tail);
  await after.close();
}
