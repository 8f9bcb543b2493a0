/** The recordings of a running Chatwoot, as they lie in the file beside this one. */

export type RecordedRequest = {
  kind: "request";
  name: string;
  as: "administrator" | "agent" | "agent bot" | "nobody";
  method: string;
  path: string;
  body?: Record<string, unknown>;
  /** The parts of a form. Of a file there is no content, since none matters. */
  multipart?: [name: string, value: string | { filename: string; type: string; size: number }][];
  status: number;
  contentType: string;
  answer: unknown;
};

export type RecordedWebhook = {
  kind: "webhook";
  name: string;
  event: string;
  headers: Record<string, string>;
  /** The body, byte for byte. */
  raw: string;
  /** The status that it was answered with then. */
  answered: number;
};

export function readRecordings(text: string): { requests: RecordedRequest[]; webhooks: RecordedWebhook[] } {
  const lines = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as RecordedRequest | RecordedWebhook);
  return {
    requests: lines.filter((line) => line.kind === "request"),
    webhooks: lines.filter((line) => line.kind === "webhook"),
  };
}

/** What the recorded inbox signs with. */
export function secretIn(requests: RecordedRequest[]): string {
  const shown = requests.find(({ name }) => name === "inbox, as an administrator: the secret");
  const { secret } = (shown?.answer ?? {}) as { secret?: unknown };
  if (typeof secret !== "string") throw new Error("the recordings show no secret");
  return secret;
}
