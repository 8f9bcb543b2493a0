import { AlarmClock as Original } from "../../../src/ticket/alarm";

export * from "../../../src/ticket/alarm";
export class AlarmClock extends Original {
  constructor(storage: DurableObjectStorage, nowMs: number) {
    const silent = { getAlarm: () => storage.getAlarm(), setAlarm: async () => undefined };
    super(silent, nowMs);
  }
}
