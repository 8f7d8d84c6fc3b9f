package bench

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"time"
)

// A Column is one column of a table.
type Column struct {
	Key   string `json:"key"`
	Title string `json:"title"`
	Unit  Unit   `json:"unit"`
	Less  bool   `json:"less_is_better,omitempty"`
}

// Unit says how a value is printed.
type Unit string

const (
	count   Unit = "count"
	seconds Unit = "seconds"
	bytesOf Unit = "bytes"
	factor  Unit = "factor"
)

// A Report is everything that was measured.
type Report struct {
	Version string    `json:"version"`
	Date    time.Time `json:"date"`
	Machine Machine   `json:"machine"`
	Results []Result  `json:"results"`
}

// A Result is one case with one peer.
type Result struct {
	Case
	Peer   string            `json:"peer"`
	Values map[string]Spread `json:"values"`
	Notes  []string          `json:"notes,omitempty"`
	Failed string            `json:"failed,omitempty"` // why there are no values
}

func newReport(version string) *Report {
	return &Report{Version: version, Date: time.Now().UTC().Truncate(time.Second), Machine: thisMachine()}
}

// A collection is what the runs of one case with one peer measured.
type collection struct {
	values map[string][]float64
	notes  []string
	failed string
}

func (c *collection) add(v Values, notes []string, err error) {
	if err != nil {
		c.failed = err.Error()
		return
	}
	if c.values == nil {
		c.values = map[string][]float64{}
	}
	for key, x := range v {
		if !math.IsNaN(x) && !math.IsInf(x, 0) {
			c.values[key] = append(c.values[key], x)
		}
	}
	for _, n := range notes {
		if !slices.Contains(c.notes, n) {
			c.notes = append(c.notes, n)
		}
	}
}

func (r *Report) add(c Case, peer string, all *collection) {
	result := Result{Case: c, Peer: peer, Values: map[string]Spread{}}
	if all != nil {
		result.Notes, result.Failed = all.notes, all.failed
		for key, runs := range all.values {
			result.Values[key] = spread(runs)
		}
	}
	r.Results = append(r.Results, result)
}

// publish prints the table and writes the requested files.
func (b *runner) publish() error {
	if _, err := b.cfg.Out.Write([]byte(b.report.Markdown())); err != nil {
		return err
	}
	if b.cfg.JSON != "" {
		text, err := json.MarshalIndent(b.report, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(b.cfg.JSON, append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	if b.cfg.SVG != "" {
		if err := os.WriteFile(b.cfg.SVG, []byte(b.report.Draw()), 0o644); err != nil {
			return err
		}
	}
	if b.cfg.Docs != "" {
		return putIntoDocs(b.cfg.Docs, b.report.Markdown())
	}
	return nil
}

// Merge publishes several reports written with --json as one.
func Merge(cfg Config, files []string) error {
	b := &runner{cfg: &cfg}
	for _, file := range files {
		r, err := readReport(file)
		if err != nil {
			return err
		}
		if b.report == nil {
			b.report = r
			continue
		}
		if r.Machine != b.report.Machine || r.Version != b.report.Version {
			return fmt.Errorf("%s is of %s and version %s, and %s of %s and version %s: they cannot be compared",
				file, r.Machine, r.Version, files[0], b.report.Machine, b.report.Version)
		}
		b.report.Results = append(b.report.Results, r.Results...)
	}
	return b.publish()
}

// readReport reads a file written with --json.
func readReport(file string) (*Report, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := &Report{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s is no report: %w", file, err)
	}
	return r, nil
}
