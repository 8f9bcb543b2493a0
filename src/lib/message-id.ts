const TIME_DIGITS = 12;
const PREFIX = "msg_";

/**
 * An id for a new message, made where a request comes in, so that a second try of it carries the same one. It is a UUID of
 * version 7 (RFC 9562): the time, the version, and behind them what is random in one of version 4.
 */
export function newMessageId(): string {
  const time = Date.now().toString(16).padStart(TIME_DIGITS, "0");
  const random = crypto
    .randomUUID()
    .replaceAll("-", "")
    .slice(TIME_DIGITS + 1);
  return `${PREFIX}${time}7${random}`;
}

/** Whether an id that somebody gives is one that the relay makes. */
export const isMessageId = (id: string): boolean => id.startsWith(PREFIX);
