package pgserver

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// postmaster returns the id of the server's first process; 0 if it does not run.
func (s *Server) postmaster() int {
	text, err := os.ReadFile(filepath.Join(s.Data(), "postmaster.pid"))
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil || !isRunning(pid) { // a killed server leaves its file
		return 0
	}
	return pid
}

// pids returns the ids of all of the server's processes, the postmaster first. Without /proc only that is known.
func (s *Server) pids() []int {
	first := s.postmaster()
	if first == 0 {
		return nil
	}
	pids := []int{first}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is valid
	for _, path := range stats {
		fields := statFields(path)
		if len(fields) > parent && fields[parent] == strconv.Itoa(first) {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// CPU returns the CPU time of all of the server's processes, also of those that have ended.
func (s *Server) CPU() (time.Duration, error) {
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux
	var ticks int64
	for i, pid := range s.pids() {
		fields := statFields(fmt.Sprintf("/proc/%d/stat", pid))
		if len(fields) <= childSystem {
			continue // it has ended meanwhile: the postmaster has its time
		}
		last := systemTime
		if i == 0 {
			last = childSystem
		}
		for _, f := range fields[userTime : last+1] {
			n, err := strconv.ParseInt(f, 10, 64)
			if err != nil {
				return 0, fmt.Errorf("CPU time of PostgreSQL: %w", err)
			}
			ticks += n
		}
	}
	if ticks == 0 {
		return 0, fmt.Errorf("CPU time of PostgreSQL: there is no /proc here, or it does not run")
	}
	return time.Duration(ticks) * tick, nil
}

// Fields of a line of /proc/PID/stat after the name, as proc_pid_stat(5) has them.
const (
	parent      = 1
	userTime    = 11
	systemTime  = 12
	childSystem = 14 // userTime to childSystem are the four times
)

// statFields returns what follows the name in a process's line; nil if there is none. The name, in parentheses, may
// contain anything.
func statFields(path string) []string {
	stat, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
}
