import type { Minute } from "../api/types";
import { barsOf } from "../lib/bars";
import { useWords } from "../words/language";

const HEIGHT = 28;
const STEP = 3;

type Props = { minutes: Minute[]; bars?: number; minutesPerBar?: number; label: string };

/** Deliveries as bars, dead letters on top of them in red. */
export function Sparkline({ minutes, bars = 60, minutesPerBar = 1, label }: Props) {
  const words = useWords();
  const sums = barsOf(minutes, bars, minutesPerBar, Date.now());
  const total = sums.reduce((sum, { good, dead }) => ({ good: sum.good + good, dead: sum.dead + dead }));
  const highest = Math.max(1, ...sums.map(({ good, dead }) => good + dead));
  const width = bars * STEP;
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${width} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${label}: ${words.nDelivered(total.good)}, ${words.nDead(total.dead)}`}
    >
      <rect class="spark-base" x={0} y={HEIGHT - 1} width={width} height={1} />
      {sums.map(({ good, dead }, index) => {
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
