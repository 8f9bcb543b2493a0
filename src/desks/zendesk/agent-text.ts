import * as z from "zod/mini";
import { withFallback } from "../../lib/zod";
import { htmlToText, linksOf } from "./html-text";

/** What an agent's message is made of, as far as it can go to a customer. Whatever is malformed in it counts as left out. */

const optionalText = withFallback(z.optional(z.string()), undefined);
const listOf = <Schema extends z.ZodMiniType>(schema: Schema) => z._default(withFallback(z.array(schema), []), []);

const action = z.object({ text: optionalText, uri: optionalText });
const item = z.object({
  title: optionalText,
  description: optionalText,
  mediaUrl: optionalText,
  actions: listOf(action),
});
const option = z.object({ label: optionalText });
const field = z.object({
  label: optionalText,
  text: optionalText,
  email: optionalText,
  options: listOf(option),
  select: listOf(option),
});

export const deskContent = z.object({
  type: z.string(),
  text: optionalText,
  htmlText: optionalText,
  mediaUrl: optionalText,
  mediaType: optionalText,
  actions: listOf(action),
  items: listOf(item),
  fields: listOf(field),
  textFallback: optionalText,
  coordinates: withFallback(
    z.optional(z.object({ lat: z.optional(z.unknown()), long: z.optional(z.unknown()) })),
    undefined,
  ),
  location: withFallback(z.nullish(z.object({ name: optionalText, address: optionalText })), undefined),
  template: z.optional(z.unknown()),
});
export type DeskContent = z.infer<typeof deskContent>;

const lines = (...parts: (string | undefined)[]): string => parts.filter((part) => part).join("\n");

/** Everything of a message that can be read, one thing a line, whether or not 3Dolphins has such a message. */
export function toText(content: DeskContent): string {
  const { actions, items, fields, textFallback, template } = content;
  // Of cards the desk itself writes a text, which says them once more.
  const text = items.length === 0 ? plainText(content) : undefined;
  return [
    lines(text ?? textFallback, ...actions.map(actionLine)),
    ...items.map(({ title, description, mediaUrl, actions: choices }) =>
      lines(title, description, mediaUrl, ...choices.map(actionLine)),
    ),
    // The answers to a form come with a text of their own.
    textFallback === undefined ? lines(...fields.map(fieldLine)) : "",
    lines(...templateTexts(template)),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** The text, unless only the rich one says where its links lead. */
function plainText({ text, htmlText }: DeskContent): string | undefined {
  if (htmlText === undefined) return text;
  const isWhole = text !== undefined && linksOf(htmlText).every((link) => text.includes(link));
  return isWhole ? text : htmlToText(htmlText);
}

const actionLine = ({ text = "", uri }: z.infer<typeof action>): string => (uri ? `- ${text}: ${uri}` : `- ${text}`);

function fieldLine({ label = "", text, email, options, select }: z.infer<typeof field>): string {
  const answer = text ?? email ?? select.map((one) => one.label).join(", ");
  const choices = options.map((one) => one.label).join(" / ");
  return `${label}: ${answer || choices}`.trimEnd();
}

/** A template of WhatsApp has its texts in nested parameters, under `text`. Without any, its name has to do. */
function templateTexts(template: unknown): string[] {
  if (typeof template !== "object" || template === null) return [];
  const texts = textsIn(template, 8);
  if (texts.length > 0) return texts;
  return "name" in template && typeof template.name === "string" ? [template.name] : [];
}

function textsIn(value: unknown, levels: number): string[] {
  if (typeof value !== "object" || value === null || levels === 0) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "text" && typeof inner === "string" ? [inner] : textsIn(inner, levels - 1),
  );
}
