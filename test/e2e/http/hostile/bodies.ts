import { gzipSync } from "node:zlib";

/** Bodies that are no JSON, or none that can be read. Each is sent wherever a body is taken, with a good credential. */
const broken: [name: string, body: string | Uint8Array][] = [
  ["nothing", ""],
  ["white space", " \t\r\n"],
  ["an opening brace", "{"],
  ["a closing brace", "}"],
  ["two objects", "{}{}"],
  ["a trailing comma", '{"ticketNumber":"1",}'],
  ["a comma too many", '{"a":1,,"b":2}'],
  ["single quotes", "{'ticketNumber':'1'}"],
  ["a bare name", "{ticketNumber:1}"],
  ["a comment", '{/* */"a":1}'],
  ["a line comment", '{"a":1}//'],
  ["NaN", '{"a":NaN}'],
  ["Infinity", '{"a":-Infinity}'],
  ["undefined", "undefined"],
  ["a hex number", '{"a":0x10}'],
  ["a leading zero", '{"a":007}'],
  ["a lone minus", '{"a":-}'],
  ["an exponent with nothing behind it", '{"a":1e}'],
  ["a raw line feed in a text", '{"a":"\n"}'],
  ["a raw NUL in a text", '{"a":"\u0000"}'],
  ["an unknown escape", '{"a":"\\q"}'],
  ["half an escape", '{"a":"\\u12"}'],
  ["an unclosed text", '{"a":"'],
  ["a form", "ticketNumber=1&owner=2"],
  ["XML", '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'],
  ["a prefix against hijacking", ')]}\',\n{"a":1}'],
  ["two byte order marks", '\uFEFF\uFEFF{"a":1}'],
  ["100,000 opening brackets", "[".repeat(100_000)],
  ["40,000 objects never closed", '{"a":'.repeat(40_000)],
  ["a deep body with a fault behind it", `${"[".repeat(50_000)}${"]".repeat(50_000)},`],
  ["100,000 brackets round a long number", `${"[".repeat(100_000)}12345678901234567890${"]".repeat(100_000)}`],
  ["a text cut off within a character", Buffer.from([0x7b, 0x22, 0xe2, 0x82])],
  ["gzip", gzipSync('{"a":1}')],
  ["random bytes", Buffer.from(Array.from({ length: 4_096 }, (_, index) => (index * 167 + 13) % 256))],
];

/** JSON in another encoding than UTF-8, which is read at the engine's door alone. */
const otherEncodings: [name: string, body: Uint8Array][] = [
  ["UTF-16, little endian", Buffer.from('\uFEFF{"a":1}', "utf16le")],
  ["UTF-16, big endian", Buffer.from('\uFEFF{"a":1}', "utf16le").swap16()],
  ["an overlong character", Buffer.from([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d])],
  ["a surrogate in UTF-8", Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
  ["Latin-1", Buffer.from('{"a":"é"}', "latin1")],
];

/** Bodies that are JSON, and no object. */
const others: [name: string, body: string][] = [
  ["null", "null"],
  ["true", "true"],
  ["a number", "17"],
  ["a number beyond all bounds", "1e999999"],
  ["a text", '"{}"'],
  ["an empty array", "[]"],
  ["an array with an object in it", '[{"ticketNumber":"1"}]'],
  ["100,000 brackets, closed", "[".repeat(100_000) + "]".repeat(100_000)],
];

export const BODIES = { broken, otherEncodings, others };
