package storetest

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
)

// BenchmarkCommits stores b.N messages while so many wait for their answer at any time, and reports messages per second
// and the CPU time of each in microseconds. cpu returns the CPU time of processes beside this one; nil: there are
// none.
func BenchmarkCommits(b *testing.B, s interface {
	Append(d chat.Draft, done func(chat.Commit))
}, waiting int, cpu func() (time.Duration, error),
) {
	const text = "A message of a usual length: two lines on a phone, perhaps with a link in it."
	used := func() time.Duration {
		b.Helper()
		all := ownCPU(b)
		if cpu != nil {
			others, err := cpu()
			Must(b, err)
			all += others
		}
		return all
	}
	free := make(chan struct{}, waiting)
	done := func(c chat.Commit) {
		if c.Err != nil {
			b.Error(c.Err)
		}
		<-free
	}
	post := func(n int, nonce string) {
		for i := range n {
			free <- struct{}{}
			from := chat.Person{ID: chat.PersonID(fmt.Sprint("p", i%64)), Name: "Ada Lovelace"}
			s.Append(Draft("lobby", from, text, fmt.Sprintf(nonce, i)), done)
		}
		for range waiting {
			free <- struct{}{}
		}
		for range waiting {
			<-free
		}
	}
	post(64, "0198c1d2-7a3b-7c4d-8e5e-%012x") // the room, the people, and all statements
	before := used()
	b.ResetTimer()
	post(b.N, "0198c1d2-7a3b-7c4d-8e5f-%012x")
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
	if spent := used() - before; before > 0 {
		b.ReportMetric(float64(spent.Microseconds())/float64(b.N), "cpu-µs/msg")
	}
}

// ownCPU returns the CPU time of this process, 0 on systems without /proc.
func ownCPU(b *testing.B) time.Duration {
	b.Helper()
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(stat[strings.LastIndex(string(stat), ")")+1:]))
	var ticks int64
	for _, f := range fields[11:13] { // utime and stime of proc_pid_stat(5)
		n, err := strconv.ParseInt(f, 10, 64)
		Must(b, err)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond // USER_HZ is 100 on every Linux
}
