import { allow } from "../../http/operators";
import { Routes } from "../../http/routes";
import type { MeAnswer } from "../../model/answers";

/** Whom the relay takes the caller for. */
export const me = new Routes();

me.get("/", allow("viewer"), (c) => c.json<MeAnswer>({ status: "success", operator: c.var.operator }));
