/** A piece of the bundle and what stands in its place when the duty is taken out. */
type Patch = [piece: string, instead: string];
export type Duty = { name: string; patches: Patch[] };

/** What can be taken out of the Worker, to see what it costs: of a bundle that is built without minifying. */
export const DUTIES: readonly Duty[] = [
  {
    name: "validation of the event",
    patches: [inPlaceOf("parseEvent", "(shape, json) { return { ok: true, event: json }; }")],
  },
  {
    name: "reading the body within limits",
    patches: [inPlaceOf("readBody", "(request) { return request.arrayBuffer(); }", "async ")],
  },
  { name: "signing what goes out", patches: [inPlaceOf("signatureHeaders", "() { return {}; }", "async ")] },
  { name: "mapping in KV", patches: [["await directory.mapTicket(deskId, ticketNumber, owner);", ""]] },
  {
    name: "time limit of an attempt",
    patches: [
      ["setTimeout(() => abort.abort(), request.timeoutMs)", "0"],
      ["signal: abort.signal,\n", "\n"],
    ],
  },
  { name: "alarm, the safety net", patches: [["void this.#storage.setAlarm(atMs);", ""]] },
  {
    name: "telling the index",
    patches: [
      ["reportIfDue(trigger, nowMs) {", "reportIfDue(trigger, nowMs) { return;"],
      ["return isOwed ?", "return false ?"],
    ],
  },
  { name: "attempts in the timeline", patches: [["JSON.stringify(history.attempts)", '"[]"']] },
  { name: "log lines", patches: [["console.log(JSON.stringify({ event, ...fields }));", ""]] },
  {
    name: "rate limiter",
    patches: [["const { success } = await limiter.limit({ key: credential });", "const success = true;"]],
  },
];

/**
 * The bundle without a duty. Throws when a piece of it is not there (any more): a duty that was not taken out must not be
 * told as one that costs nothing.
 */
export function without({ name, patches }: Duty, bundle: string): string {
  return patches.reduce((text, [piece, instead]) => {
    if (!text.includes(piece)) throw new Error(`"${name}" is not to be found in the bundle: ${piece}`);
    return text.replace(piece, () => instead);
  }, bundle);
}

/** Puts a function of the same name before the one there is, which is renamed. */
function inPlaceOf(name: string, body: string, prefix = ""): Patch {
  const declared = `${prefix}function ${name}(`;
  return [declared, `${prefix}function ${name}${body}\n${prefix}function without_${name}(`];
}
