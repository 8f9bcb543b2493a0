/** What Sunshine Conversations sends with a webhook: its bare secret, whatever the body and the time. */
export async function sign(
  _body: string,
  record: { type: string; webhookSecret?: string },
): Promise<{ headers: Record<string, string> }> {
  return { headers: { "x-api-key": record.webhookSecret ?? "" } };
}
