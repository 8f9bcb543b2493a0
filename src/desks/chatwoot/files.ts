import type { ChatwootRecord } from "./record";

/**
 * Agents' files are links to Chatwoot that redirect to its store, some before the file is there. Not every client follows,
 * so that the relay's own link goes to the engine instead. They open for whoever has the link.
 */
export const redirectedFiles = {
  isBehind: (link: string, { baseUrl }: ChatwootRecord): boolean =>
    link.startsWith(`${new URL(baseUrl).origin}/rails/active_storage/`),
  credential: (): Record<string, string> => ({}),
};
