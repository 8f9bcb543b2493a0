import { desks as real } from "../../../../src/desks/all";
import { toy } from "./toy";

/** In these tests the toy is a desk among the others: this one name more is all that it takes. */
export const desks = [...real, toy] as const;
