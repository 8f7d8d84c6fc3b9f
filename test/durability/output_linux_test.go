package durability

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// brokenOutputs are the states in which standard output and standard error can be.
var brokenOutputs = map[string]func(t *testing.T) *os.File{
	"closed pipe": func(t *testing.T) *os.File {
		r, w := pipe(t)
		r.Close()
		return w
	},
	"full pipe": func(t *testing.T) *os.File {
		_, w := pipe(t)
		fd := int(w.Fd())
		if err := syscall.SetNonblock(fd, true); err != nil {
			t.Fatal(err)
		}
		for size := 4096; size > 0; {
			switch _, err := syscall.Write(fd, make([]byte, size)); {
			case errors.Is(err, syscall.EAGAIN):
				size /= 2
			case err != nil:
				t.Fatal(err)
			}
		}
		if err := syscall.SetNonblock(fd, false); err != nil {
			t.Fatal(err)
		}
		return w
	},
	"full disk": func(t *testing.T) *os.File {
		f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Skip(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	},
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// Whatever happens to its two output files, a server serves, commits, and ends normally. SIGPIPE is
// ignored under systemd, and not elsewhere.
func TestServerWorksWhateverItsOutputsAre(t *testing.T) {
	for name, broken := range brokenOutputs {
		for _, sigpipe := range []string{"default", "ignored"} {
			t.Run(name+", SIGPIPE "+sigpipe, func(t *testing.T) {
				t.Parallel()
				address := fmt.Sprintf("127.0.0.1:%d", freePorts(t, 1)[0])
				trap := map[string]string{"default": "-", "ignored": "''"}[sigpipe]
				data := t.TempDir()
				cmd := exec.Command("sh", "-c", "trap "+trap+` PIPE; exec "$@"`, "sh", "parley", "serve", "--listen",
					address, "--data", data)
				out := broken(t)
				cmd.Stdout, cmd.Stderr = out, out
				startCommand(t, cmd)

				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				client := &http.Client{Transport: &http.Transport{}}
				defer client.CloseIdleConnections()
				answerOf(ctx, t, client, "http://"+address+"/healthz")
				for i := range 50 { // each is a line of the log
					r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/", nil)
					if err != nil {
						t.Fatal(err)
					}
					r.Host = fmt.Sprintf("h%d.example", i)
					a, err := client.Do(r)
					if err != nil {
						t.Fatal(err)
					}
					a.Body.Close()
					if a.StatusCode != http.StatusMisdirectedRequest {
						t.Fatalf("status %d", a.StatusCode)
					}
				}
				if p, err := post("http://"+address, "", `{"name":"Ada","text":"kept"}`); err != nil || p.Seq != 1 {
					t.Fatalf("post: %+v, %v", p, err)
				}
				if lost := lostLines(ctx, t, client, address); name != "full pipe" && lost == 0 {
					t.Error("no lost line is counted")
				}
				if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
					t.Fatal(err)
				}
				cmd.Wait() // its status is checked next
				if status := cmd.ProcessState; !status.Exited() || status.ExitCode() != 0 {
					t.Errorf("it ended with %v", status)
				}
				_, url := startParley(t, data)
				if got := history(t, url); got["kept"] != 1 {
					t.Errorf("after that there is %v", got)
				}
			})
		}
	}
}

func lostLines(ctx context.Context, t *testing.T, client *http.Client, address string) (lines int) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^parley_log_lines_lost_total (\d+)$`).FindStringSubmatch(string(b))
	if m == nil {
		t.Fatalf("the metrics have no lost lines:\n%s", b)
	}
	if _, err := fmt.Sscan(m[1], &lines); err != nil {
		t.Fatal(err)
	}
	return lines
}

// A server that cannot start waits at most a second to write the reason to a blocked standard
// error.
func TestFailedStartEndsAlthoughNobodyReadsItsError(t *testing.T) {
	for name, broken := range brokenOutputs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for args, want := range map[string]int{"serve --data /dev/null/x": 1, "serve --idle-timeout -1s": 2} {
				cmd := exec.Command("parley", strings.Fields(args)...)
				out := broken(t)
				cmd.Stdout, cmd.Stderr = out, out
				startCommand(t, cmd)
				giveUp := time.AfterFunc(patience, func() { cmd.Process.Kill() })
				cmd.Wait() // its status is checked next
				giveUp.Stop()
				if got := cmd.ProcessState.ExitCode(); got != want {
					t.Errorf("%s: it ended with %v, want status %d", args, cmd.ProcessState, want)
				}
			}
		})
	}
}
