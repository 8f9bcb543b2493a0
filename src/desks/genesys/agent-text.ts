/** What an agent or a bot sends beside text and files (choices, cards, lists, forms, templates), as text. */

/** The words of a part, in the order in which they are read. */
const WORDS = ["header", "title", "subtitle", "description", "body", "text", "address", "dateTime", "image", "video"];
/** A choice of several is marked as one. */
const CHOICES = new Set(["actions", "items", "buttons", "availableTimes"]);
/** What is shown once the customer has answered, what a tap does beside its button, and what is no text. */
const UNSEEN = new Set(["replyMessage", "defaultAction", "parameters", "response", "attachment"]);
const MOST_LEVELS = 8;

type Fields = Record<string, unknown>;

/** A line for each thing of it that can be read. */
export const linesOf = (content: Fields): string[] =>
  linesIn(content, content["contentType"] === "QuickReply", MOST_LEVELS);

function linesIn(value: unknown, isChoice: boolean, levels: number): string[] {
  if (Array.isArray(value)) return value.flatMap((one: unknown) => linesIn(one, isChoice, levels));
  if (typeof value !== "object" || value === null || levels === 0) return [];
  const fields = value as Fields;
  const words = WORDS.map((key) => fields[key]).filter((word) => typeof word === "string" && word !== "");
  const link = typeof fields["url"] === "string" ? [fields["url"]] : [];
  const own = isChoice ? choiceLine(words.join(", "), link) : [...words, ...link];
  const inner = Object.entries(fields)
    .filter(([key]) => !UNSEEN.has(key))
    .flatMap(([key, part]) => linesIn(part, CHOICES.has(key) || (isChoice && key === "quickReply"), levels - 1));
  return [...(own as string[]), ...inner];
}

const choiceLine = (words: string, link: string[]): string[] => {
  const said = [words, ...link].filter((part) => part !== "").join(": ");
  return said === "" ? [] : [`- ${said}`];
};
