package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"parley/internal/pgserver"
	"parley/internal/store/postgres/pgtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"parley": Main, "killed-move": killedMove, "told-node": toldNode,
	})
}

// TestScripts runs testdata/script against the real program. Beside
// testscript's own commands there are:
//
//	serve [flags]       start a server and wait until it listens; sets $URL
//	quit SIGNAL [N]     end it with a signal and expect exit status N (0); its
//	                    standard error goes to the file "log"
//	drain               ask it to stop, and wait until /readyz refuses
//	say ROOM NAME TEXT  [!] post a message; a second one by NAME is by the same person
//	by NAME METHOD PATH [BODY]  have that person change something
//	hear ROOM REGEXP    [!] the room's history matches, as lines "SEQ NAME: TEXT"
//	get PATH STATUS [HOST]  what a person's GET is answered with, for a host if
//	                    it is not $URL's; its body goes to the file "body"
//	database NAME       make an empty PostgreSQL database; sets $NAME to its URL
//
// The condition [postgres] is true if there is a PostgreSQL, except with go test -short.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			w := &world{sessions: map[string]string{}}
			e.Values[worldKey{}] = w
			e.Setenv("PARLEY_LISTEN", "127.0.0.1:0")
			e.Defer(func() { w.kill() })
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name != "postgres" {
				return false, fmt.Errorf("unknown condition %s", name)
			}
			return pgserver.Installed() && !testing.Short(), nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve":  scriptServe,
			"quit":   scriptQuit,
			"drain":  scriptDrain,
			"say":    scriptSay,
			"by":     scriptBy,
			"hear":   scriptHear,
			"get":    scriptGet,
			"damage": scriptDamage,
			"database": func(ts *testscript.TestScript, neg bool, args []string) {
				if neg || len(args) != 1 {
					ts.Fatalf("usage: database NAME")
				}
				ts.Setenv(args[0], pgtest.Empty(t))
			},
		},
	})
}

// A world is what one script has started.
type world struct {
	server   *exec.Cmd
	stderr   *bytes.Buffer
	sessions map[string]string // by name
}

type worldKey struct{}

func (w *world) kill() {
	if w.server != nil {
		w.server.Process.Kill()
		w.server.Wait() // its status shows only that it was killed
		w.server = nil
	}
}

// patience is how long to wait for something that should happen soon.
const patience = 60 * time.Second

func worldOf(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

func scriptServe(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	if neg || w.server != nil {
		ts.Fatalf("usage: serve [flags], once at a time")
	}
	program, err := lookPath(ts.Getenv("PATH"), "parley")
	ts.Check(err)
	cmd := exec.Command(program, append([]string{"serve"}, args...)...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{
		"HOME", "PATH", "TMPDIR", "PARLEY_LISTEN", "PARLEY_DATA", "PARLEY_LOG_FORMAT", "PARLEY_LOG_LEVEL",
	} {
		if value := ts.Getenv(name); value != "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	w.stderr = &bytes.Buffer{}
	cmd.Stderr = w.stderr
	stdout, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	w.server = cmd
	giveUp := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	giveUp.Stop()
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		w.kill()
		ts.Fatalf("no address but %q (%v):\n%s", line, err, w.stderr)
	}
	ts.Setenv("URL", url)
	ts.Setenv("PORT", url[strings.LastIndex(url, ":")+1:])
}

func lookPath(path, name string) (string, error) {
	for dir := range strings.SplitSeq(path, string(filepath.ListSeparator)) {
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && !info.IsDir() {
			return file, nil
		}
	}
	return "", fmt.Errorf("%s is not on the path", name)
}

var signals = map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "KILL": syscall.SIGKILL}

func scriptQuit(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	if neg || len(args) == 0 || w.server == nil {
		ts.Fatalf("usage: quit SIGNAL [STATUS], of a running server")
	}
	want := 0
	if len(args) > 1 {
		var err error
		want, err = strconv.Atoi(args[1])
		ts.Check(err)
	}
	ts.Check(w.server.Process.Signal(signals[args[0]]))
	giveUp := time.AfterFunc(stopTimeout, func() { w.server.Process.Kill() })
	w.server.Wait() // its status is checked below
	giveUp.Stop()
	status := w.server.ProcessState.ExitCode()
	w.server = nil
	ts.Check(os.WriteFile(ts.MkAbs("log"), w.stderr.Bytes(), 0o600))
	if status != want {
		ts.Fatalf("exit status %d, want %d:\n%s", status, want, w.stderr)
	}
}

// scriptDrain asks the server to stop, and waits until it says that new clients should go elsewhere.
func scriptDrain(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	if neg || len(args) != 0 || w.server == nil {
		ts.Fatalf("usage: drain, of a running server")
	}
	ts.Check(w.server.Process.Signal(syscall.SIGTERM))
	for until := time.Now().Add(patience); ; {
		answer, err := (&http.Client{Timeout: patience}).Get(ts.Getenv("URL") + "/readyz")
		ts.Check(err)
		answer.Body.Close()
		if answer.StatusCode == http.StatusServiceUnavailable {
			return
		}
		if time.Now().After(until) {
			ts.Fatalf("/readyz still answers %s", answer.Status)
		}
	}
}

func scriptSay(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: [!] say ROOM NAME TEXT")
	}
	w, room, name := worldOf(ts), args[0], args[1]
	body, err := json.Marshal(map[string]string{"name": name, "text": args[2]})
	ts.Check(err)
	r, err := http.NewRequest(http.MethodPost, ts.Getenv("URL")+"/api/rooms/"+room+"/messages", bytes.NewReader(body))
	ts.Check(err)
	r.Header.Set("Content-Type", "application/json")
	if session := w.sessions[name]; session != "" {
		r.Header.Set("Authorization", "Bearer "+session)
	}
	var answer struct{ Session, Detail string }
	if status := ask(ts, r, &answer); (status == http.StatusCreated) == neg {
		ts.Fatalf("status %d: %s", status, answer.Detail)
	}
	if answer.Session != "" {
		w.sessions[name] = answer.Session
	}
}

func scriptBy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 || len(args) > 4 {
		ts.Fatalf("usage: by NAME METHOD PATH [BODY], of somebody who has said something")
	}
	body := strings.Join(args[3:], "")
	r, err := http.NewRequest(args[1], ts.Getenv("URL")+args[2], strings.NewReader(body))
	ts.Check(err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+worldOf(ts).sessions[args[0]])
	var answer struct{ Detail string }
	if status := ask(ts, r, &answer); status >= http.StatusBadRequest {
		ts.Fatalf("status %d: %s", status, answer.Detail)
	}
}

func scriptHear(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: [!] hear ROOM REGEXP")
	}
	r, err := http.NewRequest(http.MethodGet, ts.Getenv("URL")+"/api/rooms/"+args[0]+"/messages", nil)
	ts.Check(err)
	var page struct {
		Messages []struct {
			Seq  int
			From struct{ Name string }
			Text string
		}
	}
	if status := ask(ts, r, &page); status != http.StatusOK {
		ts.Fatalf("status %d", status)
	}
	var heard strings.Builder
	for _, m := range page.Messages {
		fmt.Fprintf(&heard, "%d %s: %s\n", m.Seq, m.From.Name, m.Text)
	}
	if regexp.MustCompile("(?m)"+args[1]).MatchString(heard.String()) == neg {
		ts.Fatalf("%s has:\n%s", args[0], heard.String())
	}
}

func scriptGet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: get PATH STATUS [HOST]")
	}
	r, err := http.NewRequest(http.MethodGet, ts.Getenv("URL")+args[0], nil)
	ts.Check(err)
	r.Host = strings.Join(args[2:], "")
	r.Header.Set("Accept", "text/html,*/*")
	answer, err := (&http.Client{Timeout: patience}).Do(r)
	ts.Check(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("body"), body, 0o600))
	if got := strconv.Itoa(answer.StatusCode); got != args[1] {
		ts.Fatalf("status %s, want %s:\n%s", got, args[1], body)
	}
}

// ask sends r and decodes the answer's JSON.
func ask(ts *testscript.TestScript, r *http.Request, into any) int {
	answer, err := (&http.Client{Timeout: patience}).Do(r)
	ts.Check(err)
	defer answer.Body.Close()
	ts.Check(json.NewDecoder(answer.Body).Decode(into))
	return answer.StatusCode
}
