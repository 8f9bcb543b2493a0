import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FakeChatwoot, startFakeChatwoot } from "../../../dev/fakes/chatwoot.ts";
import { accepted } from "../support/http.ts";
import { type RawFarEnd, startRawFarEnd } from "../support/raw-far-end.ts";
import { newTicketNumber, type Tenant } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

/** What a customer's link leads to, and what becomes of it in a desk that takes files. */

let world: World;
let chatwoot: FakeChatwoot;
let tenant: Tenant;
let store: RawFarEnd;
/** What the store answers by the path of the link. */
const answers = new Map<string, { headers: string[]; body: Buffer }>();

beforeAll(async () => {
  world = await startWorld();
  chatwoot = await startFakeChatwoot();
  tenant = await world.tenant({ record: { desk: chatwoot.record } });
  store = await startRawFarEnd((request) => {
    const { headers, body } = answers.get(request.split(" ")[1] ?? "") ?? { headers: [], body: Buffer.from("") };
    const head = ["HTTP/1.1 200 OK", "connection: close", ...headers, `content-length: ${body.length}`, "", ""].join(
      "\r\n",
    );
    return { bytes: Buffer.concat([Buffer.from(head), body]) };
  });
});
afterAll(async () => {
  await world.stop();
  await chatwoot.close();
  store.close();
});

/** Sends the link of what a server answers so, and gives what stands in the desk. */
async function shown(messageType: string, path: string, headers: string[], body: string | Buffer) {
  const number = newTicketNumber();
  const at = `/${number}${path}`;
  answers.set(at, { headers, body: typeof body === "string" ? Buffer.from(body, "latin1") : body });
  const mediaLink = new URL(at, store.url).href;
  accepted(await tenant.incoming(number, { messageType, message: "Lihat", mediaLink }));
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the delivery");
  const message = chatwoot.messages.findLast(
    ({ content, attachments }) => content.includes(number) || attachments.length > 0,
  );
  const [file] = message?.attachments ?? [];
  return file ? { name: file.name, type: file.type } : message?.content.replace(mediaLink, "LINK");
}

const JPEG = "\xff\xd8\xff\xe0\0\x10JFIF\0";
const PDF = "%PDF-1.7\n";
const entry = (name: string): string => `PK\x03\x04${"\0".repeat(26)}${name}`;
const DOCX = entry("[Content_Types].xml") + entry("_rels/.rels") + entry("word/document.xml");
const DOCX_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

describe("in place of a picture", () => {
  test.each([
    ["JSON", ["content-type: image/jpeg"], '{"error":"expired"}'],
    [
      "XML, as a store refuses",
      ["content-type: application/xml"],
      "<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
    ],
    [
      "XHTML",
      ["content-type: application/xhtml+xml"],
      '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>',
    ],
    ["SVG", ["content-type: image/svg+xml"], "<svg xmlns='http://www.w3.org/2000/svg'/>"],
    ["nothing", ["content-type: image/jpeg"], ""],
    ["a page that its server calls bytes", ["content-type: application/octet-stream"], "\n<!DOCTYPE html>"],
    ["a page in UTF-16", ["content-type: image/jpeg"], "\xff\xfe<\0h\0t\0m\0l\0>\0"],
    ["a server's sentence", ["content-type: image/jpeg"], "upstream connect error"],
    ["a program", ["content-type: image/jpeg"], "MZ\x90\0\x03\0"],
    ["a page packed", ["content-type: image/jpeg", "content-encoding: deflate"], "x\x9c\x03\0\0\0\0\x01"],
  ])("%s in place of a picture is not attached: the agent gets caption and link", async (_what, headers, body) => {
    const note = "Lihat\n[Pelanggan mengirim gambar yang tidak dapat dilampirkan di sini]\nLINK";
    expect(await shown("image", "/foto.jpg", headers, body)).toBe(note);
  });
});

describe("a file", () => {
  test.each([
    ["Surat Kuasa.docx", "/unduh/1", ['content-disposition: attachment; filename="Surat Kuasa.docx"'], DOCX, DOCX_TYPE],
    [
      "Résumé – é.pdf",
      "/unduh/2",
      ["content-disposition: attachment; filename=x; filename*=UTF-8''R%C3%A9sum%C3%A9%20%E2%80%93%20%C3%A9.pdf"],
      PDF,
      "application/pdf",
    ],
    ["Résumé.pdf", "/unduh/3", ['content-disposition: attachment; filename="Résumé.pdf"'], PDF, "application/pdf"],
    [
      "passwd.pdf",
      "/unduh/4",
      ['content-disposition: attachment; filename="../../etc/passwd"'],
      PDF,
      "application/pdf",
    ],
    ["tagihan.pdf", "/tagihan.html", ["content-type: text/html"], PDF, "application/pdf"],
    ["gambar fdp.jpg", "/gambar%E2%80%AE%20fdp.exe", [], JPEG, "image/jpeg"],
    ["mutasi.csv", "/mutasi.csv", [], "tanggal,jumlah\n1 Mei,100", "text/csv"],
    ["Budi.vcf", "/Budi.vcf", [], "BEGIN:VCARD\r\nFN:Budi\r\nEND:VCARD", "text/vcard"],
    ["5.pdf", "/unduh/5", [], PDF, "application/pdf"],
    ["file.pdf", "/", [], PDF, "application/pdf"],
  ])("a file is attached as %s", async (name, path, headers, body, type) => {
    expect(await shown("file", path, headers, body)).toEqual({ name, type });
  });

  test.each([
    ["an installer", "/undangan.apk", entry("AndroidManifest.xml")],
    ["a page", "/tagihan.pdf", "<html>"],
    ["a server's sentence", "/tagihan.pdf", "404 page not found"],
  ])("a file is not attached where it is %s", async (_what, path, body) => {
    expect(await shown("file", path, [], body)).toContain("LINK");
  });

  test("a file is asked for by who is calling", () => {
    for (const request of store.requests) {
      expect(request).toMatch(/\r\nuser-agent: dolphin-relay\/\d+\.\d+\.\d+\r\n/i);
      expect(request).toMatch(/\r\naccept: \*\/\*\r\n/i);
    }
  });
});
