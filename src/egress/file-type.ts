/* oxlint-disable no-control-regex -- how files begin is a matter of bytes */

/**
 * What a file is by its first bytes, whatever its name and its server say. A list of what customers send and a desk can
 * show. Anything else is not attached: a page, JSON or XML is a server's answer in place of the file. Nor is what installs
 * or runs (apk, jar, exe): a bank's customers report such frauds, and the agent still has the link.
 *
 * Signatures are those of the WHATWG's "MIME Sniffing" (mimesniff.spec.whatwg.org, 6 and 7) as far as it has them, and
 * else of the formats' own specifications. No library fits: file-type and magic-bytes.js are 19 and 4 KiB gzipped, and
 * file-type-mime (2 KiB) knows no WebM, AMR, 3GP or old Office document.
 */
export type FileType = {
  type: string;
  /** For a name that has none, or another file's. */
  extension: string;
  /** All that a file with these bytes may have. */
  fitting: readonly string[];
};

/** What the engine says that it is. */
export type FileKind = "image" | "video" | "audio" | "file";

/** What is known beside the bytes: it decides where several kinds of file begin alike. */
export type FileHints = { kind: FileKind; extension?: string | undefined; contentType?: string | undefined };

/** Enough for a signature, and for the first entries of a document that is a zip. */
export const HEAD_BYTES = 4096;

const TYPES = new Map(
  Object.entries({
    "image/jpeg": "jpg jpeg jfif",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/bmp": "bmp",
    "image/heic": "heic heif",
    "image/avif": "avif",
    "image/tiff": "tif tiff",
    "video/mp4": "mp4 m4v",
    "video/quicktime": "mov",
    "video/3gpp": "3gp",
    "video/webm": "webm",
    "video/x-matroska": "mkv",
    "video/x-msvideo": "avi",
    "video/ogg": "ogv",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "audio/aac": "aac",
    "audio/ogg": "ogg oga opus",
    "audio/webm": "weba",
    "audio/amr": "amr",
    "audio/wav": "wav",
    "audio/flac": "flac",
    "application/pdf": "pdf",
    "application/rtf": "rtf",
    "application/zip": "zip",
    "application/vnd.rar": "rar",
    "application/x-7z-compressed": "7z",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.ms-word.document.macroenabled.12": "docm",
    "application/vnd.ms-excel.sheet.macroenabled.12": "xlsm",
    "application/vnd.ms-excel.sheet.binary.macroenabled.12": "xlsb",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.presentation": "odp",
    "application/msword": "doc",
    "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.ms-outlook": "msg",
    "text/plain": "txt log md",
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "text/vcard": "vcf",
    "text/calendar": "ics",
  }).flatMap(([type, extensions]) => extensions.split(" ").map((extension) => [extension, type] as const)),
);

/** How files begin, each byte as the character of its number, and the extensions they may have. The first match counts. */
const SIGNATURES: readonly (readonly [RegExp, string])[] = [
  [/^\xff\xd8\xff/, "jpg jpeg jfif"],
  [/^\x89PNG\r\n\x1a\n/, "png"],
  [/^GIF8[79]a/, "gif"],
  [/^RIFF.{4}WEBPVP/s, "webp"],
  // "BM" alone begins many a text.
  [/^BM.{4}\0{4}/s, "bmp"],
  [/^.{4}ftyp(?:he[iv]|mif1.{8,32}heic)/s, "heic heif"],
  [/^.{4}ftypavi[fs]/s, "avif"],
  [/^(?:II\*\0|MM\0\*)/, "tif tiff"],
  [/^.{4}ftypM4[AB] /s, "m4a mp4"],
  [/^.{4}ftyp3g/s, "3gp mp4"],
  [/^.{4}(?:ftypqt {2}|moov|mdat|wide)/s, "mov mp4"],
  [/^.{4}ftyp/s, "mp4 m4v m4a mov 3gp"],
  [/^\x1aE\xdf\xa3.{0,60}webm/s, "webm weba mkv"],
  [/^\x1aE\xdf\xa3.{0,60}matroska/s, "mkv webm"],
  [/^RIFF.{4}AVI /s, "avi"],
  [/^RIFF.{4}WAVE/s, "wav"],
  [/^OggS.{24}(?:\x80theora|\x01video)/s, "ogv ogg"],
  [/^OggS/, "ogg oga opus"],
  [/^fLaC/, "flac"],
  [/^#!AMR/, "amr"],
  [/^(?:ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb][\x10-\xef])/, "mp3"],
  [/^(?:ADIF|\xff[\xf0\xf1\xf8\xf9])/, "aac"],
  [/^(?:\xef\xbb\xbf)?\s{0,99}%PDF-/, "pdf"],
  [/^\{\\rtf/, "rtf doc"],
  [/^PK\x03\x04.{26}mimetypeapplication\/vnd\.oasis\.opendocument\.text/s, "odt"],
  [/^PK\x03\x04.{26}mimetypeapplication\/vnd\.oasis\.opendocument\.spreadsheet/s, "ods"],
  [/^PK\x03\x04.{26}mimetypeapplication\/vnd\.oasis\.opendocument\.presentation/s, "odp"],
  [/PK\x03\x04.{26}(?:AndroidManifest|META-INF\/(?:MANIFEST|com\/android)|classes\d*\.dex)/s, ""],
  [/^PK\x03\x04.*PK\x03\x04.{26}word\//s, "docx docm"],
  [/^PK\x03\x04.*PK\x03\x04.{26}xl\//s, "xlsx xlsm xlsb"],
  [/^PK\x03\x04.*PK\x03\x04.{26}ppt\//s, "pptx"],
  [/^PK\x03\x04/, "zip docx xlsx pptx docm xlsm xlsb odt ods odp"],
  [/^\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1/, "doc xls ppt msg"],
  [/^Rar!\x1a\x07/, "rar"],
  [/^7z\xbc\xaf\x27\x1c/, "7z"],
  [/^BEGIN:VCARD/i, "vcf"],
  [/^BEGIN:VCALENDAR/i, "ics"],
];

const TEXTS = ["txt", "log", "md", "csv", "tsv", "vcf", "ics"];

/** Programs that begin as a zip or an old document does. */
const PROGRAMS = /^(?:x?apks?|aab|jar|war|ipa|msi|msp)$/;

/** A page or a script on the way to the file, or a program: never the extension of what is on the list. */
const FOREIGN =
  /^(?:[psx]?html?|svgz?|xml|js(?:on|px?)?|css|php\d?|aspx?|do|cgi|exe|scr|bat|cmd|com|lnk|vbs|ps1|bin|dat|tmp)$/;

/** Undefined for what is not to be attached. `head` is the beginning of the file, or all of it. */
export function fileType(head: Uint8Array, hints: FileHints): FileType | undefined {
  if (PROGRAMS.test(hints.extension ?? "")) return undefined;
  const characters = String.fromCharCode(...head.subarray(0, HEAD_BYTES));
  const [, fitting] = SIGNATURES.find(([pattern]) => pattern.test(characters)) ?? [];
  if (fitting === undefined) return isText(head, hints) ? choose(TEXTS, hints) : undefined;
  return fitting === "" ? undefined : choose(fitting.split(" "), hints);
}

/** Whether an extension says what the file is, as against "Surat No.12", so that it lies where it does not fit. */
export const isExtension = (extension: string): boolean =>
  TYPES.has(extension) || PROGRAMS.test(extension) || FOREIGN.test(extension);

/** Where the engine says audio, an MP4 is audio. Then the name decides, then the server. */
function choose(fitting: readonly string[], { kind, extension, contentType }: FileHints): FileType {
  const ofKind = fitting.filter((one) => TYPES.get(one)?.startsWith(`${kind}/`));
  const among = ofKind.length > 0 ? ofKind : fitting;
  const named = among.find((one) => one === extension) ?? among.find((one) => TYPES.get(one) === contentType);
  const chosen = named ?? among[0] ?? "";
  return { type: TYPES.get(chosen) ?? "", extension: chosen, fitting };
}

/**
 * A text that a customer wrote. One in place of a picture, or of a file whose name says otherwise, is a server's; so is
 * what reads as markup or JSON.
 */
function isText(head: Uint8Array, { kind, extension, contentType = "" }: FileHints): boolean {
  if (kind !== "file" || head.byteLength === 0 || /html|xml|json|javascript/.test(contentType)) return false;
  if (extension !== undefined && isExtension(extension) && !TEXTS.includes(extension)) return false;
  const text = decoded(head).trim();
  if (/[^\P{Cc}\s]/u.test(text)) return false;
  return text !== "" && !/^(?:[<{[]|(?:"(?:[^"\\]|\\.)*"|true|false|null)$)/s.test(text);
}

function decoded(head: Uint8Array): string {
  const [first = 0, second = 0] = head;
  const mark = first * 256 + second;
  return new TextDecoder(mark === 0xfffe ? "utf-16le" : mark === 0xfeff ? "utf-16be" : "utf-8").decode(head);
}
