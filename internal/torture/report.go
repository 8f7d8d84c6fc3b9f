package torture

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Print writes the report for people, as a table of lines.
func (r Report) Print(w io.Writer) {
	var befell []string
	for _, name := range slices.Sorted(maps.Keys(r.Faults)) {
		befell = append(befell, fmt.Sprintf("%s %d", name, r.Faults[name]))
	}
	for _, row := range [][2]any{
		{"took", r.Took.Round(time.Second)},
		{"rounds checked", r.Rounds},
		{"faults", strings.Join(befell, ", ")},
		{"kills", r.Kills},
		{"connections", r.Connections},
		{"joins that read pages", r.Behind},
		{"events", r.Events},
		{"messages among them", r.Messages},
		{"acknowledgements", r.Acks},
		{"refusals", r.Refusals},
		{"deliveries", r.Deliveries},
		{"events compared", r.Compared},
		{"memory", r.Memory},
	} {
		fmt.Fprintf(w, "%-24s %v\n", row[0], row[1])
	}
	fmt.Fprintln(w, "until it answers again:")
	for _, name := range slices.Sorted(maps.Keys(r.Back)) {
		fmt.Fprintf(w, "  %-22s %s\n", name, spread(r.Back[name]))
	}
	if len(r.Beside) > 0 {
		fmt.Fprintln(w, "from one member to another, beside two who are:")
	}
	for _, way := range []string{BesideNobody, BesideStalled, BesideSlow, BesideHalfOpen} {
		if took := r.Beside[way]; len(took) > 0 {
			fmt.Fprintf(w, "  %-22s median %v, p99 %v, %d messages\n", way,
				rounded(percentile(took, 0.5)), rounded(percentile(took, 0.99)), len(took))
		}
	}
}

// String returns the measurements for people.
func (m Memory) String() string {
	return fmt.Sprintf("%d MiB before, at most %d, %d after %v", m.Before>>20, m.Peak>>20, m.After>>20,
		m.Within.Round(time.Second))
}

// spread says how long something takes: in the middle, mostly, and at the most.
func spread(times []time.Duration) string {
	slices.Sort(times)
	return fmt.Sprintf("median %v, p95 %v, most %v, %d times", rounded(percentile(times, 0.5)),
		rounded(percentile(times, 0.95)), rounded(times[len(times)-1]), len(times))
}

func rounded(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
