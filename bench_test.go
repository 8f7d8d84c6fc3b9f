package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// Everybody talks in bursts, and waits until everybody has everything.
const (
	chatters  = 32
	chatBurst = 51
)

// BenchmarkChat is a room of 32 people who all talk, against the real program
// over real sockets, each message stored with a synced commit before anybody
// sees it. One operation is one message. It reports messages and deliveries
// per second, and deliveries per second of the server's CPU time.
func BenchmarkChat(b *testing.B) {
	address, pid := benchServer(b)
	people := make([]*chatter, chatters)
	for i := range people {
		people[i] = newChatter(b, address, i)
	}
	rounds := b.N/(chatters*chatBurst) + 1
	before := cpuTime(b, pid)
	b.ResetTimer()
	for range rounds {
		var wg sync.WaitGroup
		for _, c := range people {
			wg.Go(func() {
				if err := c.round(); err != nil {
					b.Error(err)
				}
			})
		}
		wg.Wait()
	}
	b.StopTimer()
	used := cpuTime(b, pid) - before
	messages := float64(rounds * chatters * chatBurst)
	b.ReportMetric(messages/b.Elapsed().Seconds(), "messages/s")
	b.ReportMetric(messages*chatters/b.Elapsed().Seconds(), "deliveries/s")
	if used > 0 {
		b.ReportMetric(messages*chatters/used.Seconds(), "deliveries/CPU-s")
	}
}

// benchServer starts the program without limits and returns where it listens.
func benchServer(b *testing.B) (address string, pid int) {
	b.Helper()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	program := filepath.Join(b.TempDir(), "parley") // the name makes the test binary the program
	if err := os.Symlink(self, program); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(program, "serve", "--listen=127.0.0.1:0", "--data="+filepath.Join(b.TempDir(), "data"), "--message-rate=0", "--connections-per-address=0", "--guest-rate=0")
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "PARLEY_LOG_LEVEL=warn")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(strings.TrimPrefix(line, "listening on http://")), cmd.Process.Pid
}

// cpuTime returns the CPU time that a process has used, from /proc.
func cpuTime(b *testing.B, pid int) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Skip("CPU time is read from /proc: ", err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+2:]))
	ticks := 0
	for _, f := range fields[11:13] { // utime and stime, proc_pid_stat(5)
		n, err := strconv.Atoi(f)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// A chatter is a client that costs next to nothing: it counts frames in large
// reads.
type chatter struct {
	nc     net.Conn
	who, n int
	buf    []byte
	held   int
	events int // seen and not yet counted by round
}

func newChatter(b *testing.B, address string, who int) *chatter {
	b.Helper()
	nc, br, _, err := ws.Dial(b.Context(), "ws://"+address+"/ws")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { nc.Close() })
	if br != nil {
		b.Fatal("the server spoke first")
	}
	c := &chatter{nc: nc, who: who, buf: make([]byte, 1<<20)}
	var hello []byte
	hello = appendMasked(hello, fmt.Sprintf(`{"op":"hello","id":1,"name":"Guest %d"}`, who))
	hello = appendMasked(hello, `{"op":"join","id":2,"room":"bench"}`)
	if _, err := nc.Write(hello); err != nil {
		b.Fatal(err)
	}
	for joined := false; !joined; {
		err := c.frames(func(payload []byte) { joined = joined || bytes.HasPrefix(payload, []byte(`{"op":"ok","id":2,`)) })
		if err != nil {
			b.Fatal(err)
		}
	}
	return c
}

// round sends a burst and waits until everybody's has come.
func (c *chatter) round() error {
	var out []byte
	for range chatBurst {
		c.n++
		out = appendMasked(out, fmt.Sprintf(
			`{"op":"send","id":%d,"room":"bench","nonce":"%04x-%016x","text":"Good morning, everybody. Shall we begin?"}`, c.n, c.who, c.n))
	}
	if _, err := c.nc.Write(out); err != nil {
		return err
	}
	for c.events < chatters*chatBurst {
		err := c.frames(func(payload []byte) {
			if bytes.HasPrefix(payload, []byte(`{"op":"event"`)) {
				c.events++
			}
		})
		if err != nil {
			return err
		}
	}
	c.events -= chatters * chatBurst
	return nil
}

// frames reads once and calls f for each whole frame.
func (c *chatter) frames(f func(payload []byte)) error {
	n, err := c.nc.Read(c.buf[c.held:])
	if err != nil {
		return err
	}
	b := c.buf[:c.held+n]
	for len(b) >= 4 {
		size, header := int(b[1]), 2
		if size == 126 {
			size, header = int(binary.BigEndian.Uint16(b[2:])), 4
		} else if size == 127 {
			return io.ErrShortBuffer
		}
		if len(b) < header+size {
			break
		}
		f(b[header : header+size])
		b = b[header+size:]
	}
	c.held = copy(c.buf, b)
	return nil
}

// appendMasked appends a client's frame with the mask 0, which leaves the
// payload as it is.
func appendMasked(dst []byte, payload string) []byte {
	dst = append(dst, 0x81)
	if len(payload) < 126 {
		dst = append(dst, 0x80|byte(len(payload)))
	} else {
		dst = binary.BigEndian.AppendUint16(append(dst, 0x80|126), uint16(len(payload)))
	}
	return append(append(dst, 0, 0, 0, 0), payload...)
}
