import * as z from "zod/mini";
import { withFallback } from "../../lib/zod";

/** Of `content_attributes`, as Chatwoot's guide "Interactive messages" and its ContentAttributeValidator have it. */
const optionalText = withFallback(z.nullish(z.string()), undefined);
const item = z.object({
  title: optionalText,
  label: optionalText,
  name: optionalText,
  description: optionalText,
  link: optionalText,
  media_url: optionalText,
  actions: withFallback(z.array(z.object({ text: optionalText, uri: optionalText })), []),
});
const attributes = withFallback(z.object({ items: z.array(withFallback(item, { actions: [] })) }), { items: [] });

const joined = (parts: (string | null | undefined)[], separator: string) => parts.filter(Boolean).join(separator);

/** A message with its choices, cards, form or articles as lines of text: 3Dolphins knows no such message. */
export function toText(content: string, contentAttributes: unknown): string {
  const lines = attributes.parse(contentAttributes).items.map(({ title, label, name, description, link, ...rest }) => {
    const actions = rest.actions.map((action) => joined([action.text, action.uri], ": "));
    return joined([title || label || name, description, link, rest.media_url, ...actions], " - ");
  });
  return joined([content, ...lines.filter(Boolean).map((line) => `- ${line}`)], "\n");
}
