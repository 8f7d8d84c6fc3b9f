package bench

import (
	"math"
	"slices"
	"time"
)

// A Spread is a value over several runs.
type Spread struct {
	Median float64   `json:"median"`
	Min    float64   `json:"min"`
	Max    float64   `json:"max"`
	MAD    float64   `json:"mad"` // median distance from the median
	Runs   []float64 `json:"runs"`
}

func spread(runs []float64) Spread {
	s := Spread{Median: median(runs), Min: slices.Min(runs), Max: slices.Max(runs), Runs: runs}
	distances := make([]float64, len(runs))
	for i, r := range runs {
		distances[i] = math.Abs(r - s.Median)
	}
	s.MAD = median(distances)
	return s
}

// median returns the middle value, or the mean of the two in the middle.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// quantile returns the least of sorted that at least a part q of it does not exceed, in seconds.
func quantile(sorted []time.Duration, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	i := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[min(max(i, 0), len(sorted)-1)].Seconds()
}
