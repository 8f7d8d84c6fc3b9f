package bench

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of CPU times in /proc: USER_HZ is 100 on every Linux.
const tick = 10 * time.Millisecond

// errNoProc means that the system does not show what a process uses.
var errNoProc = errors.New("there is no /proc here, so the server's CPU time and memory are not known")

// memory is what a process takes. In PSS, a page that several processes share counts in part.
type memory struct{ rss, pss float64 }

// cpuTime returns the CPU time of a process, of all its threads.
func cpuTime(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	return parseStat(stat)
}

func parseStat(stat []byte) (total time.Duration, err error) {
	// The name, in parentheses, may contain anything; numbers follow it.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("a line of /proc that is no stat: %.60q", stat)
	}
	for _, f := range fields[11:13] { // utime and stime, proc_pid_stat(5)
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("CPU time in /proc: %w", err)
		}
		total += time.Duration(n) * tick
	}
	return total, nil
}

// memoryOf returns the memory of a process, in bytes.
func memoryOf(pid int) (memory, error) {
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return memory{}, err
	}
	return memory{rss: kilobytes(rollup, "Rss:"), pss: kilobytes(rollup, "Pss:")}, nil
}

func kilobytes(rollup []byte, key string) float64 {
	for line := range strings.Lines(string(rollup)) {
		if rest, ok := strings.CutPrefix(line, key); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 64)
			if err == nil {
				return n * 1024
			}
		}
	}
	return 0
}

// A Machine is what was measured on.
type Machine struct {
	Processor  string `json:"processor"`
	Processors int    `json:"processors"`
	System     string `json:"system"`
	MemoryMiB  int    `json:"memory_mib,omitempty"`
}

func (m Machine) String() string {
	s := fmt.Sprintf("%s, %d processors, %s", m.Processor, m.Processors, m.System)
	if m.MemoryMiB > 0 {
		s += fmt.Sprintf(", %d GiB", (m.MemoryMiB+512)/1024)
	}
	return s
}

// fieldOf returns the value of the first line "key : value" of a file.
func fieldOf(file, key string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
