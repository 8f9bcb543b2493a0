import { describe, expect, test } from "vitest";
import { fileType, type FileHints } from "../../../src/egress/file-type";

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const typeOf = (head: string | Uint8Array, hints: Partial<FileHints> = {}): string | undefined =>
  fileType(typeof head === "string" ? bytes(head) : head, { kind: "file", ...hints })?.type;

/** A zip's entry as its local header begins: what is packed of it does not matter here. */
const entry = (name: string, content = ""): string => `PK\x03\x04${"\0".repeat(26)}${name}${content}`;
const OOXML = entry("[Content_Types].xml", "packed") + entry("_rels/.rels", "packed");
const ftyp = (brands: string): string => `\0\0\0\x20ftyp${brands}`;

describe("what begins as", () => {
  test.each([
    ["image/jpeg", "\xff\xd8\xff\xe0\0\x10JFIF"],
    ["image/png", "\x89PNG\r\n\x1a\n\0\0\0\rIHDR"],
    ["image/gif", "GIF89a\x01\0"],
    ["image/webp", "RIFF\x24\0\0\0WEBPVP8 "],
    ["image/bmp", "BM\x36\0\x0c\0\0\0\0\0"],
    ["image/heic", ftyp("heic\0\0\0\0mif1heic")],
    ["image/heic", ftyp("mif1\0\0\0\0mif1heic")],
    ["image/heic", ftyp("mif1\0\0\0\0mif1miaf")],
    ["image/heic", ftyp("msf1\0\0\0\0msf1hevc")],
    ["image/avif", ftyp("avif\0\0\0\0mif1")],
    ["image/avif", ftyp("mif1\0\0\0\0mif1avif")],
    ["image/tiff", "II*\0\x08\0\0\0"],
    ["video/mp4", ftyp("isom\0\0\x02\0isomiso2avc1mp41")],
    ["video/mp4", ftyp("mp42\0\0\0\0")],
    ["video/quicktime", ftyp("qt  \0\0\x02\0")],
    ["video/quicktime", "\0\0\0\x08wide\0\0\0\0mdat"],
    ["video/3gpp", ftyp("3gp4\0\0\x02\0")],
    ["video/webm", "\x1aE\xdf\xa3\x01\0\0\0\0\0\0\x1fB\x86\x81\x01B\x82\x84webm"],
    ["video/x-matroska", "\x1aE\xdf\xa3\x01\0\0\0\0\0\0\x23B\x82\x88matroska"],
    ["video/x-msvideo", "RIFF\x24\0\0\0AVI LIST"],
    ["audio/ogg", `OggS\0\x02${"\0".repeat(22)}OpusHead`],
    ["audio/mpeg", "ID3\x04\0"],
    ["audio/mpeg", "\xff\xfb\x90\x44"],
    ["audio/mp4", ftyp("M4A \0\0\0\0")],
    ["audio/aac", "\xff\xf1\x50\x80"],
    ["audio/amr", "#!AMR\n\x3c"],
    ["audio/wav", "RIFF\x24\0\0\0WAVEfmt "],
    ["audio/flac", "fLaC\0\0\0\x22"],
    ["application/pdf", "%PDF-1.7\n"],
    ["application/pdf", "\r\n%PDF-1.4\n"],
    ["application/rtf", "{\\rtf1\\ansi"],
    ["application/zip", entry("foto/ktp.jpg")],
    ["application/vnd.openxmlformats-officedocument.wordprocessingml.document", OOXML + entry("word/document.xml")],
    ["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", OOXML + entry("xl/workbook.xml")],
    ["application/vnd.openxmlformats-officedocument.presentationml.presentation", OOXML + entry("ppt/slides/1.xml")],
    ["application/vnd.oasis.opendocument.text", entry("mimetype", "application/vnd.oasis.opendocument.text")],
    [
      "application/vnd.oasis.opendocument.presentation",
      entry("mimetype", "application/vnd.oasis.opendocument.presentation"),
    ],
    [
      "application/vnd.oasis.opendocument.spreadsheet",
      entry("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
    ],
    ["application/msword", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"],
    ["application/vnd.rar", "Rar!\x1a\x07\x01\0"],
    ["application/x-7z-compressed", "7z\xbc\xaf\x27\x1c\0\x04"],
    ["text/plain", "Mutasi rekening bulan Mei\r\nRp 1.500.000"],
    ["text/plain", "\xff\xfeM\0u\0t\0a\0s\0i\0"],
    ["text/plain", "Ren\xe9 menulis dengan Latin-1"],
  ])("a file that begins as %s does is of that type, whatever its server says", (type, head) => {
    for (const contentType of [undefined, "text/html", "application/octet-stream"]) {
      if (type === "text/plain" && contentType === "text/html") continue;
      expect(typeOf(head, { contentType })).toBe(type);
    }
  });
});

describe("where several kinds begin alike", () => {
  const zip = OOXML + entry("docProps/app.xml");
  test.each<[string, string, Partial<FileHints>]>([
    ["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", zip, { extension: "xlsx" }],
    [
      "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
      zip,
      { contentType: "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
    ],
    ["application/zip", zip, { extension: "backup" }],
    ["application/vnd.ms-excel", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", { extension: "xls" }],
    ["text/csv", "nama,saldo\nFarhan,100", { extension: "csv" }],
    ["text/csv", "nama,saldo\nFarhan,100", { contentType: "text/csv" }],
    ["text/vcard", "BEGIN:VCARD\r\nVERSION:3.0", { extension: "vcf" }],
    ["text/vcard", "BEGIN:VCARD\r\nVERSION:3.0", { contentType: "text/x-vcard" }],
    ["audio/mp4", ftyp("mp42\0\0\0\0"), { kind: "audio" }],
    ["audio/mp4", ftyp("isom\0\0\0\0"), { kind: "audio", extension: "mp4", contentType: "video/mp4" }],
    ["audio/webm", "\x1aE\xdf\xa3\x01\0\0\0\0\0\0\x1fB\x82\x84webm", { kind: "audio" }],
    ["video/mp4", ftyp("isom\0\0\0\0"), { kind: "video" }],
    ["video/ogg", `OggS\0\x02${"\0".repeat(22)}\x80theora`, { kind: "video" }],
  ])("a file of a kind that begins as others do is %s by its kind, its name or its server", (type, head, hints) => {
    expect(typeOf(head, hints)).toBe(type);
  });

  test("a name does not make a workbook out of a letter, though both begin alike", () => {
    expect(typeOf(OOXML + entry("word/document.xml"), { extension: "xlsx" })).toContain("wordprocessingml");
  });
});

describe("is not attached:", () => {
  const kinds = ["image", "video", "audio", "file"] as const;
  test.each([
    ["nothing at all", ""],
    ["blanks", " \r\n "],
    ["a page", "<!DOCTYPE html><html>"],
    ["a page behind a byte order mark and blanks", "\xef\xbb\xbf\r\n <html>"],
    ["a page in UTF-16", "\xff\xfe<\0h\0t\0m\0l\0>\0"],
    ["XHTML", '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">'],
    ["XML, as a store says that it has no such file", "<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"],
    ["SVG, which may hold a script", "<svg xmlns='http://www.w3.org/2000/svg'><script>"],
    ["JSON", '{"error":"expired"}'],
    ["a list in JSON", "[]"],
    ["a text in JSON", '"Not found"'],
    ["a program for Windows", "MZ\x90\0\x03\0\0\0"],
    ["a program for Linux", "\x7fELF\x02\x01"],
    ["macros in a document that calls itself one without", OOXML + entry("word/vbaProject.bin")],
    ["an app for Android", entry("AndroidManifest.xml") + entry("classes.dex")],
    ["an app for Android as it is built now", entry("META-INF/com/android/build/gradle/app-metadata.properties")],
    ["a program in Java", entry("META-INF/MANIFEST.MF")],
    ["bytes that say nothing", "\x01\x02\x03\x04"],
  ])("a file is not attached: %s", (_what, head) => {
    for (const kind of kinds) {
      for (const contentType of [undefined, "image/jpeg", "application/octet-stream", "text/plain"]) {
        expect(typeOf(head, { kind, contentType, extension: "jpg" })).toBeUndefined();
        expect(typeOf(head, { kind, contentType })).toBeUndefined();
      }
    }
  });

  test("a file is not attached that is a program or a macro by its name, though it begins as a document does", () => {
    expect(typeOf(entry("assets/a"), { extension: "apk" })).toBeUndefined();
    expect(typeOf(OOXML + entry("word/document.xml"), { extension: "docm" })).toBeUndefined();
    expect(typeOf("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", { extension: "msi" })).toBeUndefined();
  });

  test("a file is not attached that is a server's sentence in place of what was asked for", () => {
    for (const kind of ["image", "video", "audio"] as const) expect(typeOf("Not found", { kind })).toBeUndefined();
    for (const extension of ["docx", "pdf", "html", "json"]) expect(typeOf("Not found", { extension })).toBeUndefined();
    expect(typeOf("Please log in", { contentType: "text/html" })).toBeUndefined();
  });
});
