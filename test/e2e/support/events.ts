type Fields = Record<string, unknown>;

/** The documented sample of an Incoming Event, with its fields in the documented spelling. */
export function incomingEvent(owner: string, ticketNumber: string, fields: Fields = {}): Fields {
  return {
    ticketNumber,
    channel: "whatsapp",
    accountId: "628128778222",
    contactId: "d61d77735f3fe08bcf6d6b96fa06ba9d",
    messageType: "text",
    message: "Halo",
    mediaLink: "",
    customerName: "Farhan Akbar",
    createdDate: "2021-04-28T15:39:37.945",
    owner,
    groupId: "",
    language: "",
    ...fields,
  };
}

export function outgoingEvent(owner: string | undefined, ticketNumber: string, fields: Fields = {}): Fields {
  return {
    ticketNumber,
    channel: "whatsapp",
    messageType: "text",
    message: "Ada yang bisa dibantu?",
    mediaLink: "",
    customerName: "Farhan Akbar",
    ...(owner === undefined ? {} : { owner }),
    ...fields,
  };
}

export function closeEvent(owner: string | undefined, ticketNumber: string, fields: Fields = {}): Fields {
  return {
    ticketNumber,
    channel: "whatsapp",
    event: "Close",
    ...(owner === undefined ? {} : { owner }),
    ...fields,
  };
}

/** The published sample as it stands in the documentation: smart quotes, and commas missing. */
export function brokenSample(ticketNumber: string): string {
  return [
    "{",
    `  “ticketNumber”: “${ticketNumber}”,`,
    "  “channel”: “whatsapp”",
    "  “messageType”: “text”,",
    "  “message”: “Halo”",
    "  “owner”: “82ab0fd5cfd1e80d1ff97c0cfc9aaaa”",
    "}",
  ].join("\n");
}

/** The field of a received body that tells test messages apart. */
export function textOf(body: string): string {
  const event: unknown = JSON.parse(body);
  if (typeof event === "object" && event !== null && "message" in event) return String(event.message);
  return "";
}

export function ticketOf(body: string): string {
  const event: unknown = JSON.parse(body);
  if (typeof event === "object" && event !== null && "ticketNumber" in event) return String(event.ticketNumber);
  return "";
}
