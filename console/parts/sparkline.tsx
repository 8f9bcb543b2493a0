import type { Overview } from "../api/types";
import { barsOf } from "../lib/bars";
import { useTimes, useWords } from "../words/language";

const HEIGHT = 28;
const STEP = 3;

type Props = {
  overview: Pick<Overview, "minutes" | "countedUntil">;
  bars?: number;
  minutesPerBar?: number;
  label: string;
};

/** Deliveries as bars, dead letters on top of them in red. Of a time that is not counted whole, nothing is drawn but that. */
export function Sparkline({ overview, bars = 60, minutesPerBar = 1, label }: Props) {
  const words = useWords();
  const sums = barsOf(overview, bars, minutesPerBar, Date.now());
  const times = useTimes();
  const isBehind = sums.some(({ isUnknown }) => isUnknown);
  const until = isBehind ? `, ${words.countedUntil(times.clock(overview.countedUntil, Date.now()))}` : "";
  const total = sums.reduce((sum, { good, dead }) => ({
    good: sum.good + good,
    dead: sum.dead + dead,
    isUnknown: false,
  }));
  const highest = Math.max(1, ...sums.map(({ good, dead }) => good + dead));
  const width = bars * STEP;
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${width} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${label}: ${words.nDelivered(total.good)}, ${words.nDead(total.dead)}${until}`}
    >
      <rect class="spark-base" x={0} y={HEIGHT - 1} width={width} height={1} />
      {sums.map(({ good, dead, isUnknown }, index) => {
        if (isUnknown) {
          return <rect key={index} class="spark-unknown" x={index * STEP} y={0} width={STEP - 1} height={HEIGHT} />;
        }
        if (good + dead === 0) return null;
        const whole = Math.max(2, ((good + dead) / highest) * (HEIGHT - 1));
        const red = dead === 0 ? 0 : Math.max(2, (dead / (good + dead)) * whole);
        const x = index * STEP;
        return (
          <g key={index}>
            <rect class="spark-good" x={x} y={HEIGHT - whole} width={STEP - 1} height={whole} />
            {red > 0 && <rect class="spark-dead" x={x} y={HEIGHT - whole} width={STEP - 1} height={red} />}
          </g>
        );
      })}
    </svg>
  );
}
