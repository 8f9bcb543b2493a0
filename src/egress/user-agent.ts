import { version } from "../../package.json";

const NAME = "dolphin-relay/";

/** Says who is calling: many a firewall refuses a request that does not. */
export const USER_AGENT = NAME + version;

/** Whether it is a relay's, of this version or another. */
export const isRelay = (userAgent: string | undefined): boolean => userAgent?.startsWith(NAME) ?? false;
