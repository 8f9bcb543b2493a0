import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { reaches, type Role } from "../src/model/operator";
import type { Operator } from "./api/types";

/** Who is signed in. What one may not do is not shown; the relay refuses it all the same. */

const OperatorContext = createContext<Operator>({ name: "", role: "viewer", by: "session" });
export const OperatorProvider = OperatorContext.Provider;
export const useOperator = (): Operator => useContext(OperatorContext);

/** Whether the operator's role goes so far. */
export const useMay = (needed: Role): boolean => reaches(useOperator().role, needed);
