package durability

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// startParley serves data on a free port until the test ends.
func startParley(t *testing.T, data string, flags ...string) (cmd *exec.Cmd, url string) {
	t.Helper()
	cmd = exec.Command("parley", append([]string{"--listen", "127.0.0.1:0", "--data", data}, flags...)...)
	stderr := &bytes.Buffer{}
	cmd.Stderr = stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	startCommand(t, cmd)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		t.Fatalf("it says %q (%v):\n%s", line, err, stderr)
	}
	return cmd, url
}

type posted struct {
	Seq     int
	Session string
}

func post(url, session, body string) (posted, error) {
	r, err := http.NewRequest(http.MethodPost, url+"/api/rooms/lobby/messages", strings.NewReader(body))
	if err != nil {
		return posted{}, err
	}
	r.Header.Set("Content-Type", "application/json")
	if session != "" {
		r.Header.Set("Authorization", "Bearer "+session)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return posted{}, err
	}
	defer answer.Body.Close()
	var p posted
	err = json.NewDecoder(answer.Body).Decode(&p)
	if err == nil && answer.StatusCode != http.StatusCreated && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", answer.StatusCode)
	}
	return p, err
}

// Ten people send as fast as they can when the server is killed. Afterwards every acknowledged
// message has its seq, and unanswered messages can be sent again without a duplicate.
func TestAKillLosesNothingThatWasAcknowledged(t *testing.T) {
	const people, enough = 10, 300
	data := t.TempDir()
	cmd, url := startParley(t, data, "--message-rate", "0")
	var (
		talkers      sync.WaitGroup
		acknowledged atomic.Int64
		reached      = make(chan struct{})
		mu           sync.Mutex
		said         = map[string]int{}    // seq of what was acknowledged, by text
		open         = map[string]string{} // the session that has no answer for a text
	)
	for n := range people {
		first, err := post(url, "", fmt.Sprintf(`{"name":"P%d","text":"P%d is here"}`, n, n))
		if err != nil {
			t.Fatal(err)
		}
		talkers.Go(func() {
			for i := 0; ; i++ {
				text := fmt.Sprintf("P%d says %d", n, i)
				p, err := post(url, first.Session, fmt.Sprintf(`{"text":%q,"nonce":"n%d"}`, text, i))
				mu.Lock()
				if err != nil {
					open[text] = first.Session
					mu.Unlock()
					return
				}
				said[text] = p.Seq
				mu.Unlock()
				if acknowledged.Add(1) == enough {
					close(reached)
				}
			}
		})
	}
	<-reached
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() // its status says only that it was killed
	talkers.Wait()

	_, url = startParley(t, data, "--message-rate", "0")
	for text, session := range open {
		nonce := "n" + text[strings.LastIndex(text, " ")+1:]
		p, err := post(url, session, fmt.Sprintf(`{"text":%q,"nonce":%q}`, text, nonce))
		if err != nil {
			t.Fatal(err)
		}
		said[text] = p.Seq
	}
	stored := history(t, url)
	if len(stored) != len(said)+people {
		t.Errorf("%d messages are stored, %d were sent", len(stored), len(said)+people)
	}
	for text, seq := range said {
		if stored[text] != seq {
			t.Errorf("%q is stored as %d, it was acknowledged as %d", text, stored[text], seq)
		}
	}
	t.Logf("%d acknowledged, %d without an answer", acknowledged.Load(), len(open))
}

// history returns the seq of every message of the lobby, by text, and fails if
// one is there twice or a number is missing.
func history(t *testing.T, url string) map[string]int {
	t.Helper()
	all, last := map[string]int{}, 0
	for {
		answer, err := http.Get(fmt.Sprintf("%s/api/rooms/lobby/messages?limit=200&after=%d", url, last))
		if err != nil {
			t.Fatal(err)
		}
		var page struct {
			Messages []struct {
				Seq  int
				Text string
			}
		}
		err = json.NewDecoder(answer.Body).Decode(&page)
		answer.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Messages) == 0 {
			return all
		}
		for _, m := range page.Messages {
			if m.Seq != last+1 {
				t.Fatalf("after %d comes %d", last, m.Seq)
			}
			if _, twice := all[m.Text]; twice {
				t.Fatalf("%q is there twice", m.Text)
			}
			last, all[m.Text] = m.Seq, m.Seq
		}
	}
}

func TestASecondSignalEndsItAtOnce(t *testing.T) {
	data := t.TempDir()
	cmd, url := startParley(t, data)
	address := strings.TrimPrefix(url, "http://")
	if _, err := post(url, "", `{"name":"Ada","text":"kept"}`); err != nil {
		t.Fatal(err)
	}
	// A request whose body does not come holds up the end.
	slow, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	const header = "POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: " +
		"20\r\nExpect: 100-continue\r\n\r\n"
	if _, err := io.WriteString(slow, header); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(slow).ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatalf("%q, %v", line, err) // 100 Continue: the handler reads
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for { // until it has understood
		c, err := net.Dial("tcp", address)
		if err != nil {
			break
		}
		c.Close()
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() // its status is looked at next: had it gone on draining, it would have exited by itself
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("it ended with %v", cmd.ProcessState)
	}
	_, url = startParley(t, data)
	if got := history(t, url); got["kept"] != 1 {
		t.Errorf("after that there is %v", got)
	}
}
