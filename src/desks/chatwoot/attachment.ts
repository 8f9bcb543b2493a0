import { clipStart } from "../../lib/text";
import type { MediaType } from "../agent-notes";

/** Chatwoot shows an attachment by the type it is uploaded with: image, video and audio as such, the rest as a file. */
const TYPES: Record<string, string> = {
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  png: "image/png",
  gif: "image/gif",
  webp: "image/webp",
  mp4: "video/mp4",
  "3gp": "video/3gpp",
  mp3: "audio/mpeg",
  m4a: "audio/mp4",
  ogg: "audio/ogg",
  oga: "audio/ogg",
  opus: "audio/ogg",
  amr: "audio/amr",
  wav: "audio/wav",
  pdf: "application/pdf",
};

const UNKNOWN = "application/octet-stream";
const LONGEST_NAME = 100;

/** Name and type of a file, out of its URL and what its server says; undefined for a page in place of a picture. */
export function fileOf(
  media: MediaType,
  link: string,
  contentType: string | undefined,
): { name: string; type: string } | undefined {
  const said = /^[\w.+-]+\/[\w.+-]+/.exec(contentType ?? "")?.[0].toLowerCase() ?? UNKNOWN;
  if (media !== "file" && said === "text/html") return undefined;
  const last = decoded(URL.parse(link)?.pathname.split("/").at(-1) ?? "");
  const extension = /\.(\w{1,5})$/.exec(last)?.[1]?.toLowerCase();
  const type = said === UNKNOWN || said === "binary/octet-stream" ? (TYPES[extension ?? ""] ?? UNKNOWN) : said;
  if (extension !== undefined) return { name: clipStart(last, LONGEST_NAME), type };
  const fitting = Object.entries(TYPES).find(([, one]) => one === type)?.[0];
  return { name: fitting === undefined ? media : `${media}.${fitting}`, type };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment).replaceAll(/[\p{Cc}/\\]/gu, "_");
  } catch {
    return segment;
  }
}
