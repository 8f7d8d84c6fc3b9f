package durability

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/client"
	"parley/internal/chat"
)

// A victim is the real program with hostile clients, and two people who chat all the time.
type victim struct {
	t       *testing.T
	cmd     *exec.Cmd
	log     *bytes.Buffer
	address string
	dir     string        // its data folder
	pause   time.Duration // between messages of the two people; 0: 10 ms
}

// An attack is one kind of hostile clients. Each may cost a certain amount of memory while it is
// connected; when they come again and again, they must not cost more.
type attack struct {
	few, many int   // clients, or another number: in an ordinary run, and with make hostile
	each      int64 // bytes of memory that each may cost
	people    int   // who enter rooms each time; nothing may be left of that but what each person awaits
	// lay lets the clients come, and returns when they have left. round is different each time.
	lay func(b *victim, n, round int) error
}

var attacks = map[string]attack{
	"headers sent slowly":      {few: 300, many: 10_000, each: 48 << 10, lay: slowHeaders},
	"half a handshake":         {few: 300, many: 10_000, each: 48 << 10, lay: halfHandshakes},
	"one byte a second":        {few: 300, many: 10_000, each: 48 << 10, lay: oneByteASecond},
	"rooms joined and left":    {few: 2_000, many: 100_000, people: 4, lay: joinsAndLeaves},
	"names of rooms looked at": {few: 3_000, many: 350_000, people: 4, lay: roomNames},
}

// spare is how many bytes a server's memory may vary at any time.
const spare = 48 << 20

// TestHostileClientsCostBoundedMemory runs with a few clients, or with many by make hostile, and
// prints what they cost.
func TestHostileClientsCostBoundedMemory(t *testing.T) {
	for name, s := range attacks {
		t.Run(name, func(t *testing.T) {
			n, forHeaders := s.few, "2s"
			if os.Getenv("PARLEY_HOSTILE") != "" {
				n, forHeaders = s.many, "20s" // long enough for all to be connected at once
			} else {
				t.Parallel()
			}
			b := startVictim(t, "--header-timeout", forHeaders, "--read-rate", "0", "--room-rate", "0")
			stop := b.talkOn()
			before := b.rss()
			var worst [3]int64
			for round := range worst {
				b.forgetPeak()
				if err := s.lay(b, n, round); err != nil {
					t.Fatal(err)
				}
				worst[round] = b.peak()
				b.wantGone()
			}
			calm, after := stop(), b.rss()
			b.end()
			if s.people > 0 {
				b.wantRooms(s.people * len(worst))
			}
			t.Logf(
				"%d: %d MiB before, at most %d MiB, %d the second time and %d the third, then %d; a message of "+
					"others took %v",
				n, before>>20, worst[0]>>20, worst[1]>>20, worst[2]>>20, after>>20, calm)
			factor := int64(1)
			if raced() {
				factor = 8 // its shadow memory
			}
			if limit := before + factor*(spare+int64(n)*s.each); slices.Max(worst[:]) > limit {
				t.Errorf("that is more than %d MiB", limit>>20)
			}
			if worst[2] > worst[1]+worst[1]/10+factor*spare/2 {
				t.Error("something is kept from one time to the next")
			}
			if b.log.Len() > 4<<10 {
				t.Errorf("they have %d bytes logged: %.500s", b.log.Len(), b.log)
			}
		})
	}
}

// wantRooms looks at the database of the server, which has ended. People have entered many rooms without a message.
func (b *victim) wantRooms(people int) {
	db, err := sql.Open("sqlite", filepath.Join(b.dir, "parley.db"))
	if err != nil {
		b.t.Fatal(err)
	}
	defer db.Close()
	var rooms, awaited, most int
	err = db.QueryRowContext(b.t.Context(), `
		SELECT (SELECT count(*) FROM room), (SELECT count(*) FROM awaited),
			(SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM awaited GROUP BY person))`).
		Scan(&rooms, &awaited, &most)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Logf("left are %d room with messages, and %d rooms that %d people await", rooms, awaited, people)
	if rooms != 1 || most == 0 || most > chat.MaxAwaited || awaited > people*chat.MaxAwaited {
		b.t.Errorf("that is not one room, and at most %d awaited ones for each person", chat.MaxAwaited)
	}
}

// raced reports whether the program has the race detector.
func raced() bool {
	info, _ := debug.ReadBuildInfo()
	return slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

func startVictim(t *testing.T, flags ...string) *victim {
	t.Helper()
	b := &victim{t: t, log: &bytes.Buffer{}, dir: t.TempDir()}
	b.cmd = exec.Command("parley", append([]string{
		"serve", "--listen", "127.0.0.1:0", "--data", b.dir, "--log-level", "warn",
		"--connections-per-address", "0", "--guest-rate", "0", "--message-rate", "0",
	}, flags...)...)
	b.cmd.Stderr = b.log
	b.cmd.Env = append(os.Environ(), "GOGC=25") // measure the memory in use, not what waits to be collected
	stdout, err := b.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.end)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on http://")
	if !ok {
		b.end()
		t.Fatalf("the server says %q (%v): %s", line, err, b.log)
	}
	b.address = address
	return b
}

// end kills the server. Its log is complete then.
func (b *victim) end() {
	b.cmd.Process.Kill()
	b.cmd.Wait() // its status shows only that it was killed
}

// status returns a line of /proc/PID/status that is in kB, in bytes.
func (b *victim) status(key string) int64 {
	b.t.Helper()
	file, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", b.cmd.Process.Pid))
	if err != nil {
		b.t.Fatal(err)
	}
	for line := range strings.Lines(string(file)) {
		if rest, ok := strings.CutPrefix(line, key+":"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err != nil {
				b.t.Fatal(err)
			}
			return n << 10
		}
	}
	b.t.Fatalf("no %s in %s", key, file)
	return 0
}

func (b *victim) rss() int64  { return b.status("VmRSS") }
func (b *victim) peak() int64 { return b.status("VmHWM") }

// forgetPeak resets peak (proc_pid_clear_refs(5)).
func (b *victim) forgetPeak() {
	b.t.Helper()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", b.cmd.Process.Pid), []byte("5"), 0); err != nil {
		b.t.Fatal(err)
	}
}

// metric returns one value of /metrics.
func (b *victim) metric(name string) float64 {
	b.t.Helper()
	w, err := http.Get("http://" + b.address + "/metrics")
	if err != nil {
		b.t.Fatal(err)
	}
	defer w.Body.Close()
	lines := bufio.NewScanner(w.Body)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			n, err := strconv.ParseFloat(rest, 64)
			if err != nil {
				b.t.Fatal(err)
			}
			return n
		}
	}
	b.t.Fatalf("no %s in /metrics", name)
	return 0
}

// wantGone waits until the server has released everything except the two people's connections.
func (b *victim) wantGone() {
	b.t.Helper()
	late := giveUp(b.t)
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		connections, rooms, files := b.metric("parley_connections"), b.metric("parley_rooms"),
			b.metric("process_open_fds")
		if connections == 2 && rooms == 1 && files < 100 {
			return
		}
		select {
		case <-late:
			b.t.Fatalf("the server keeps %v connections, %v rooms and %v open files", connections, rooms, files)
		case <-again.C:
		}
	}
}

// A calm is how long messages took between the two people.
type calm struct {
	messages           int
	half, p95, p99, at time.Duration
}

func (c calm) String() string {
	return fmt.Sprintf("%v, p95 %v, p99 %v, at most %v (of %d)", c.half, c.p95, c.p99, c.at, c.messages)
}

// talkOn lets the two people chat, one message after the other with pauses, until stop is called.
// stop fails the test if a message did not arrive.
func (b *victim) talkOn() (stop func() calm) {
	ctx, cancel := context.WithCancel(context.Background())
	dial := func(name string) *client.Client {
		c, err := client.Dial(ctx, "http://"+b.address, client.Options{Name: name})
		if err != nil {
			b.t.Fatal(err)
		}
		b.t.Cleanup(func() { c.Close() })
		return c
	}
	ada, grace := dial("Ada"), dial("Grace")
	if _, err := grace.Join(ctx, "calm"); err != nil {
		b.t.Fatal(err)
	}
	var took []time.Duration
	done := make(chan error, 1)
	go func() {
		done <- b.talk(ctx, ada, grace, &took)
	}()
	return func() calm {
		cancel()
		if err := <-done; err != nil {
			b.t.Errorf("others were disturbed: %v", err)
		}
		slices.Sort(took)
		if len(took) == 0 {
			b.t.Fatal("nobody said anything meanwhile")
		}
		return calm{len(took), took[len(took)/2], took[len(took)*95/100], took[len(took)*99/100], took[len(took)-1]}
	}
}

func (b *victim) talk(ctx context.Context, ada, grace *client.Client, took *[]time.Duration) error {
	pause := time.NewTicker(cmp.Or(b.pause, 10*time.Millisecond))
	defer pause.Stop()
	for i := 0; ; i++ {
		begun := time.Now()
		by, end := context.WithTimeout(ctx, patience)
		_, err := ada.Send(by, "calm", strconv.Itoa(i))
		for heard := false; err == nil && !heard; {
			var e client.Event
			e, err = grace.Next(by)
			switch e := e.(type) {
			case client.Message:
				heard = e.Text == strconv.Itoa(i)
			case client.Disconnected:
				err = fmt.Errorf("disconnected: %w", e.Err)
			}
		}
		end()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
		*took = append(*took, time.Since(begun))
		select {
		case <-ctx.Done():
			return nil
		case <-pause.C:
		}
	}
}

// crowd opens n connections and sends hello on each.
func (b *victim) crowd(n int, hello func(nc net.Conn) error) ([]net.Conn, error) {
	conns := make([]net.Conn, n)
	var g errgroup.Group
	const hands = 16
	for hand := range hands {
		g.Go(func() error {
			for i := hand; i < n; i += hands {
				nc, err := net.Dial("tcp", b.address)
				if err != nil {
					return err
				}
				nc.(*net.TCPConn).SetLinger(0) // so many would fill the table of connections in TIME_WAIT
				conns[i] = nc
				if err := hello(nc); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := g.Wait()
	return conns, err
}

// awaitEnds waits until the server has closed every connection.
func awaitEnds(conns []net.Conn) error {
	for _, nc := range conns {
		nc.SetReadDeadline(time.Now().Add(2 * patience))
		if _, err := io.Copy(io.Discard, nc); errors.Is(err, os.ErrDeadlineExceeded) {
			return errors.New("the server waits for a header for ever")
		}
		nc.Close()
	}
	return nil
}
