import type { TimelineMessage } from "../api/types";

/** What of an event is shown as the message; whatever is not there, or not a text, is empty. Pure. */
export type Content = {
  type: string;
  text: string;
  link: string;
  /** Why the reply did not arrive, where the relay reports that to the desk. */
  reason?: string;
};

export function contentOf(kind: TimelineMessage["kind"], event: unknown): Content {
  if (kind === "failure") {
    return { ...contentOf("outgoing", field(event, "event")), reason: text(field(event, "reason")) };
  }
  if (kind === "command") return { type: "", text: "", link: "" };
  return {
    type: text(field(event, "messageType")),
    text: text(field(event, "message")),
    link: text(field(event, "mediaLink")),
  };
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

const field = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
