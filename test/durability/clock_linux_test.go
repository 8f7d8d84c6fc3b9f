package durability

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/internal/torture"
)

// jump is one more file of package time: the clock's offset from the true time, which another
// process writes to a file that both have mapped.
const jump = `package time

import (
	"syscall"
	"unsafe"
)

var wrong = func() *int64 {
	path, ok := syscall.Getenv("PARLEY_CLOCK")
	if !ok {
		return nil
	}
	fd, err := syscall.Open(path, syscall.O_RDONLY, 0)
	if err != nil {
		panic(err)
	}
	b, err := syscall.Mmap(fd, 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	return (*int64)(unsafe.Pointer(&b[0]))
}()

func jump() int64 {
	if wrong == nil {
		return 0
	}
	return *wrong
}
`

// clocked builds the program with a standard library whose clock can be set: the time of day jumps,
// as when an operator sets a machine's clock, and durations stay correct.
func clocked(t *testing.T) (program, clock string) {
	t.Helper()
	dir := t.TempDir()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	std := filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	src, err := os.ReadFile(filepath.Join(std, "time.go"))
	if err != nil {
		t.Fatal(err)
	}
	before, now, _ := strings.Cut(string(src), "\nfunc Now() Time {\n")
	const reading = "sec, nsec, mono := runtimeNow()\n"
	if !strings.HasPrefix(strings.TrimSpace(now), reading) {
		t.Fatalf("time.Now is another one in %s: teach this test how it reads the clock", runtime.Version())
	}
	now = strings.Replace(now, reading, reading+"\tsec += jump()\n", 1)
	overlay := map[string]map[string]string{"Replace": {}}
	for name, text := range map[string]string{"time.go": before + "\nfunc Now() Time {\n" + now, "jump.go": jump} {
		file := filepath.Join(dir, name)
		overlay["Replace"][filepath.Join(std, name)] = file
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	program, clock = filepath.Join(dir, "parley"), filepath.Join(dir, "clock")
	if out, err := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program,
		"parley").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := torture.SetClock(clock, 0); err != nil {
		t.Fatal(err)
	}
	return program, clock
}

// The time of day is only for display: whatever it does, seq is in order, and connections stay
// open.
func TestNothingIsLostWhenTheClockJumps(t *testing.T) {
	needsLongTorture(t)
	program, clock := clocked(t)
	t.Run("who is silent", func(t *testing.T) { silentUnderClock(t, program, clock) })
	seed := freshSeed(t)
	for name, faults := range map[string][]string{
		"alone":     {"clock"},
		"among all": nil,
	} {
		t.Run(name, func(t *testing.T) {
			log := &bytes.Buffer{}
			p := clockedServer(t, program, clock, log)
			report := torment(t, torture.Config{
				For: 20 * time.Second, Round: 10 * time.Second, Seed: seed, Faults: faults, Rate: 200, Herd: 30,
				Subject: p,
			}, log)
			if report.Faults["clock"] == 0 {
				t.Error("the clock has not jumped")
			}
			if people := 6; len(faults) == 1 && report.Connections != people*report.Rounds {
				t.Errorf("%d connections of %d people in %d rounds: a clock that jumps has ended some",
					report.Connections, people, report.Rounds)
			}
		})
	}
}

// The clocks of nodes differ by hours.
func TestNothingIsLostWhenClocksOfNodesDiffer(t *testing.T) {
	needsLongTorture(t)
	program, _ := clocked(t)
	subject, log := inCluster(t, program, directly)
	report := torment(t, torture.Config{
		For: 40 * time.Second, Round: 20 * time.Second, Seed: freshSeed(t), Rate: 150, Herd: 30, Subject: subject,
		Faults: []string{"clock", "nodekill", "failover", "buslose", "busheal", "cut"},
	}, log)
	if report.Faults["clock"] == 0 {
		t.Error("no clock has jumped")
	}
}

func clockedServer(t *testing.T, program, clock string, log *bytes.Buffer) *torture.Process {
	p := &torture.Process{
		Program: program, Args: []string{"serve", "--idle-timeout", "3s"},
		Data: t.TempDir(), Log: log, Clock: clock,
	}
	t.Cleanup(func() {
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// silentUnderClock listens without sending anything, and checks that the server goes on to ping the
// client and keeps the connection, whichever way the clock jumps.
func silentUnderClock(t *testing.T, program, clock string) {
	p := clockedServer(t, program, clock, &bytes.Buffer{})
	url, err := p.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pinged := make(chan struct{}, 100)
	ws, _, err := websocket.Dial(t.Context(), url+"/ws", &websocket.DialOptions{
		OnPingReceived: func(context.Context, []byte) bool {
			pinged <- struct{}{}
			return true
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	if err := ws.Write(t.Context(), websocket.MessageText, []byte(`{"op":"hello","id":1,"name":"Ada"}`)); err != nil {
		t.Fatal(err)
	}
	ended, answered := make(chan error, 1), make(chan struct{}, 100)
	go func() {
		for {
			if _, _, err := ws.Read(context.Background()); err != nil {
				ended <- err
				return
			}
			answered <- struct{}{}
		}
	}()
	<-answered
	for _, wrong := range []time.Duration{0, time.Hour, 0, -time.Hour} {
		// The server must have received this before the jump, not at the same time.
		if err := ws.Write(t.Context(), websocket.MessageText, []byte(`{"op":"ping","id":2}`)); err != nil {
			t.Fatal(err)
		}
		select {
		case <-answered:
		case <-giveUp(t):
			t.Fatal("no answer to a ping")
		}
		if err := torture.SetClock(clock, wrong); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			select {
			case <-pinged:
			case err := <-ended:
				t.Fatalf("the clock jumped to %v of the true time, and the connection ended: %v", wrong, err)
			case <-giveUp(t):
				t.Fatalf("the clock jumped to %v of the true time, and the server asks no more", wrong)
			}
		}
	}
}
