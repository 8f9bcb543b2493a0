import * as z from "zod";
import type { Delivered, Delivery, DeliveryContext } from "../destination";
import { native, nativeRecord } from "./native";

/** Every desk type: its part of the tenant record, and how to deliver to it. Adding a desk adds a line in each. */

export const deskRecord = z.discriminatedUnion("type", [nativeRecord], {
  error: "must be a desk with a type the relay knows: native",
});

export type DeskRecord = z.infer<typeof deskRecord>;

/** Whether this desk wants a message of kind `failure` when a reply of its agents ends among the dead letters. */
export const wantsFailures = (desk: DeskRecord): boolean => desk.notifyFailures;

export function deliverToDesk(delivery: Delivery, desk: DeskRecord, context: DeliveryContext): Promise<Delivered> {
  switch (desk.type) {
    case "native":
      return native.deliver(delivery, desk, context);
  }
}
