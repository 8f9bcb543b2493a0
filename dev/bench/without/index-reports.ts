import { IndexReporter as Original } from "../../../src/ticket/index-reporter";

export * from "../../../src/ticket/index-reporter";
export class IndexReporter extends Original {
  override reportIfDue(): void {}
  override dueMs(): number {
    return Number.POSITIVE_INFINITY;
  }
}
