import { TicketStore as Original } from "../../../src/ticket/store";

export * from "../../../src/ticket/store";
export class TicketStore extends Original {
  override saveOutcome(...[lane, sequence, history, disposition]: Parameters<Original["saveOutcome"]>): void {
    super.saveOutcome(lane, sequence, { ...history, attempts: [] }, disposition);
  }
}
