import { errorText } from "../lib/log";
import { begin, type Bounds } from "./http";

/** A file of a far end, on its way through to whoever asked the relay for it. */
export type RemoteFile = {
  /** 200, or 206 for a part of it. */
  status: number;
  headers: Headers;
  /** Of what is sent, where that is known. */
  length: number | undefined;
  body: ReadableStream<Uint8Array>;
};

/** `transient` says that it may be there another time. `status` is of the last answer. */
type NoFile = { error: string; transient: boolean; status?: number };

export type FileRequest = Bounds & {
  url: string;
  mostBytes: number;
  /** Asked for each address that the file leads to, so that no credential goes to a host it is not for. It may throw. */
  headersFor: (url: URL) => Promise<Record<string, string>>;
};

const MAX_REDIRECTS = 5;

/** Opens a file, wherever its redirects lead. Each address is checked as the first is. Never throws. */
export async function openFile(request: FileRequest): Promise<{ file: RemoteFile } | NoFile> {
  let { url } = request;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const exchange = begin({ ...request, url }, async () => ({ headers: await request.headersFor(new URL(url)) }));
    if ("refused" in exchange) return { error: `the file's ${exchange.refused}`, transient: exchange.transient };
    try {
      const response = await exchange.response;
      const next = redirectOf(response, url);
      if (next === undefined) {
        const opened = read(response, request.mostBytes, exchange);
        if ("file" in opened) return opened;
        await response.body?.cancel();
        exchange.end();
        return opened;
      }
      await response.body?.cancel();
      exchange.end();
      url = next;
    } catch (error) {
      exchange.end();
      return { error: `no file: ${errorText(error)}`, transient: true };
    }
  }
  return { error: `the file is behind more than ${MAX_REDIRECTS} redirects`, transient: false };
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

function redirectOf({ status, headers }: Response, from: string): string | undefined {
  const location = headers.get("location");
  return REDIRECTS.has(status) && location !== null ? URL.parse(location, from)?.href : undefined;
}

function read(
  { status, headers, body }: Response,
  mostBytes: number,
  { end, redacted }: { end: () => void; redacted: (text: string) => string },
): { file: RemoteFile } | NoFile {
  if ((status !== 200 && status !== 206) || !body) {
    const transient = status === 408 || status === 425 || status === 429 || status >= 500;
    return { error: `the file's server answered HTTP ${status}`, transient, status };
  }
  const said = headers.get("content-length");
  const length = said !== null && !headers.has("content-encoding") ? Number(said) : undefined;
  // Of a part, `content-range` says how long the whole is.
  const whole = Number(/\/(\d+)$/.exec(headers.get("content-range") ?? "")?.[1] ?? 0);
  if (Math.max(length ?? 0, whole) > mostBytes) {
    return { error: `the file is longer than ${mostBytes} bytes`, transient: false };
  }
  const { readable, writable } = bounded(mostBytes, length);
  // What goes wrong in writing goes wrong in reading as well, and whoever reads sees it.
  void body.pipeTo(writable).then(end, end);
  const shown = new Headers([...headers].map(([name, value]): [string, string] => [name, redacted(value)]));
  return { file: { status, headers: shown, length, body: readable } };
}

/** The same bytes, and no more than so many. A length that is known is said to whoever reads. */
function bounded(most: number, length: number | undefined): ReadableWritablePair<Uint8Array, Uint8Array> {
  if (length !== undefined) return new FixedLengthStream(length);
  let bytes = 0;
  return new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes <= most) controller.enqueue(chunk);
      else controller.error(new Error(`the file is longer than ${most} bytes`));
    },
  });
}
