/** What a person could read out of a text: as it is, with its escapes undone, and out of base64 and hex. */
function readings(text: string): string {
  let plain = text;
  for (let round = 0; round < 3; round++) {
    plain = plain
      .replaceAll(/\\+u([\da-f]{4})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
      .replaceAll(/&(?:#(\d+)|#x([\da-f]+));?/gi, (_, decimal?: string, hexadecimal?: string) =>
        String.fromCodePoint(decimal === undefined ? Number.parseInt(hexadecimal ?? "", 16) : Number(decimal)),
      )
      .replaceAll(/&(lt|gt|amp|quot);?/g, (_, name: string) => ({ lt: "<", gt: ">", amp: "&", quot: '"' })[name] ?? "")
      .replaceAll(/(?:%[\da-f]{2})+/gi, (all) => Buffer.from(all.replaceAll("%", ""), "hex").toString())
      .replaceAll(/\\+(["\\/])/g, "$1");
  }
  const runs = plain.replaceAll(/[\r\n]/g, "").match(/[\w+/-]{4,}/g) ?? [];
  const decoded = runs.flatMap((run) =>
    [0, 1, 2, 3].map((at) => Buffer.from(run.slice(at), "base64").toString("latin1")),
  );
  const bytes = runs.map((run) => Buffer.from(run, "hex").toString("latin1"));
  return [latin1(text), latin1(plain), ...decoded, ...bytes].join("\n");
}

const latin1 = (text: string) => Buffer.from(text).toString("latin1");

const TELLING = 5;

/** The parts of a secret that can be read in a text, and not in what stands beside it anyway. */
export function partsIn(text: string, secret: string, beside = ""): string[] {
  const [bytes, read, known] = [latin1(secret), readings(text), readings(beside)];
  const parts = Array.from({ length: Math.max(0, bytes.length - TELLING + 1) }, (_, at) =>
    bytes.slice(at, at + TELLING),
  );
  return parts.filter((part) => read.includes(part) && !known.includes(part));
}
