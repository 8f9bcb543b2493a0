import { MAX_LINK, MAX_MESSAGE } from "../../model/event";
import { readLink } from "../../model/repair";
import { flatten, type DeskContent } from "./flatten";
import { split } from "./text";

type Reply = { messageType: string; message: string; mediaLink: string };

/** An agent's message as the Outgoing Events it takes; none when there is nothing in it to send. */
export function repliesOf(content: DeskContent): Reply[] {
  const { type, mediaUrl, coordinates } = content;
  const text = flatten(content);
  if ((type === "image" || type === "file") && mediaUrl !== undefined) {
    // A link that an event cannot hold still works in the customer's hands.
    if (!isLink(mediaUrl)) return texts([text, mediaUrl].filter((part) => part !== "").join("\n"));
    const [caption = "", ...rest] = split(text, MAX_MESSAGE);
    const messageType = type === "image" ? "image" : mediaKind(content.mediaType, mediaUrl);
    return [{ messageType, message: caption, mediaLink: mediaUrl }, ...rest.flatMap(texts)];
  }
  if (type === "location" && coordinates) return location(content.location, coordinates);
  return texts(text);
}

const texts = (text: string): Reply[] =>
  text === "" ? [] : split(text, MAX_MESSAGE).map((message) => ({ messageType: "text", message, mediaLink: "" }));

/** A Location has room for two numbers: the name and the address of the place follow as text. */
function location(place: DeskContent["location"], { lat, long }: { lat?: unknown; long?: unknown }): Reply[] {
  const named = texts([place?.name, place?.address].filter((part) => part).join("\n"));
  const latitude = degrees(lat, 90);
  const longitude = degrees(long, 180);
  if (latitude === undefined || longitude === undefined) return named;
  return [{ messageType: "Location", message: `${latitude},${longitude}`, mediaLink: "" }, ...named];
}

/** Degrees without an exponent; undefined when they are none. A number too long for a double comes as its own source text. */
function degrees(value: unknown, most: number): string | undefined {
  const number = Number(JSON.stringify(value) ?? Number.NaN);
  if (!(Math.abs(number) <= most)) return undefined;
  const text = String(number);
  return text.includes("e") ? number.toFixed(7) : text;
}

const isLink = (link: string): boolean => (readLink(link)?.href.length ?? Number.POSITIVE_INFINITY) <= MAX_LINK;

const EXTENSIONS: Record<string, readonly string[]> = {
  image: ["jpg", "jpeg", "png", "gif", "webp", "bmp", "svg", "heic"],
  audio: ["mp3", "m4a", "aac", "ogg", "oga", "opus", "wav", "amr", "flac"],
  video: ["mp4", "m4v", "mov", "webm", "3gp", "mkv", "avi"],
};

/** What kind of file it is, by its media type or else by its name. */
function mediaKind(mediaType: string | undefined, mediaUrl: string): string {
  const [family = ""] = (mediaType ?? "").toLowerCase().split("/");
  if (family in EXTENSIONS) return family;
  const extension = /\.(\w+)$/.exec(URL.parse(mediaUrl)?.pathname ?? "")?.[1]?.toLowerCase() ?? "";
  const known = Object.entries(EXTENSIONS).find(([, extensions]) => extensions.includes(extension));
  return known?.[0] ?? "file";
}
