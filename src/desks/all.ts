import { chatwoot } from "./chatwoot/chatwoot";
import { genesys } from "./genesys/genesys";
import { native } from "./native/native";
import { zendesk } from "./zendesk/zendesk";

/** Every type of desk. A new one is its folder, and one more name here. */
export const desks = [native, chatwoot, zendesk, genesys] as const;
