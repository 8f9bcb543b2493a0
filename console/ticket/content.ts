import type { TimelineMessage } from "../api/types";

/** What of an event is shown as the message; whatever is not there, or not a text, is empty. Pure. */
export type Content = {
  type: string;
  text: string;
  link: string;
  /** Where a person can look at it: the file, or the place on a map. */
  open?: { what: "file" | "map"; href: string };
  /** Why the reply did not arrive, where the relay reports that to the desk. */
  reason?: string;
};

export function contentOf(kind: TimelineMessage["kind"], event: unknown): Content {
  if (kind === "failure") {
    return { ...contentOf("outgoing", field(event, "event")), reason: text(field(event, "reason")) };
  }
  if (kind === "command") return { type: "", text: "", link: "" };
  const [type, said, link] = ["messageType", "message", "mediaLink"].map((name) => text(field(event, name)));
  const open = opening(type ?? "", said ?? "", link ?? "");
  return { type: type ?? "", text: said ?? "", link: link ?? "", ...(open ? { open } : {}) };
}

/** Only what a browser opens safely: https, and a place that is two numbers. */
function opening(type: string, said: string, link: string): Content["open"] {
  if (link.startsWith("https://")) return { what: "file", href: link };
  if (type.toLowerCase() !== "location" || !/^-?\d{1,3}(\.\d+)?,-?\d{1,3}(\.\d+)?$/.test(said)) return undefined;
  const [latitude, longitude] = said.split(",");
  const query = new URLSearchParams({ mlat: latitude ?? "", mlon: longitude ?? "" }).toString();
  return { what: "map", href: `https://www.openstreetmap.org/?${query}#map=16/${latitude}/${longitude}` };
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

const field = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
