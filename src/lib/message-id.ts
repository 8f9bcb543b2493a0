import { v7 as uuid } from "uuid";

/** An id for a new message. It is made where a request comes in, so that a second try of it carries the same one. */
export const newMessageId = (): string => `msg_${uuid().replaceAll("-", "")}`;
