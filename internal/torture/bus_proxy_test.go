package torture

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// route returns what one node writes to another: its greeting, and messages a, b … about rooms in turn.
func route(rooms, messages int) (all string, each []string) {
	all = "INFO {\"server_id\":\"X\"}\r\nCONNECT {}\r\nRS+ $G e.x\r\nPING\r\n"
	for i := range messages {
		text := strings.Repeat(string(rune('a'+i)), i+1)
		m := fmt.Sprintf("RMSG $G e.room%d %d\r\n%s\r\n", i%rooms, len(text), text)
		all, each = all+m, append(each, m)
	}
	return all, each
}

func TestBusProxyPassesWholeMessages(t *testing.T) {
	in, _ := route(2, 20)
	for size := 1; size < len(in); size = size*2 + 1 {
		pass := newBusWeather().newFilter()
		var out strings.Builder
		for rest := in; rest != ""; {
			n := min(size, len(rest))
			out.Write(pass([]byte(rest[:n])))
			rest = rest[n:]
		}
		if out.String() != in {
			t.Errorf("in pieces of %d it became %q", size, out.String())
		}
	}
}

func TestBusProxyFaults(t *testing.T) {
	in, each := route(2, 6)
	greeting := strings.TrimSuffix(in, strings.Join(each, ""))
	beat := "RMSG $G parley.X.b 2\r\nhi\r\n"
	tests := map[string]struct {
		faults busFaults
		want   string
	}{
		"none":             {busFaults{}, in + beat},
		"all but beats":    {busFaults{drop: 1}, greeting + beat},
		"all":              {busFaults{drop: 1, beats: true}, greeting},
		"the newest":       {busFaults{newest: true}, greeting + strings.Join(each[:4], "") + beat},
		"all twice":        {busFaults{double: 1}, greeting + doubled(each) + beat},
		"pairs reversed":   {busFaults{reorder: 1}, greeting + reversed(each) + beat},
		"beats come twice": {busFaults{double: 1, beats: true}, greeting + doubled(each) + beat + beat},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newBusWeather()
			w.set(tt.faults)
			if got := string(w.newFilter()([]byte(in + beat))); got != tt.want {
				t.Errorf("it became %q,\nwant %q", got, tt.want)
			}
		})
	}
}

func doubled(each []string) (all string) {
	for _, m := range each {
		all += m + m
	}
	return all
}

func reversed(each []string) (all string) {
	for i := 0; i < len(each); i += 2 {
		all += each[i+1] + each[i]
	}
	return all
}

func TestMessageOfRouteIsFound(t *testing.T) {
	for line, want := range map[string]string{
		"RMSG $G e.room 5\r\nhello\r\n":                "e.room",
		"RMSG $G e.room reply 5\r\nhello\r\n":          "e.room",
		"HMSG $G b 12 17\r\nNATS/1.0\r\n\r\nhello\r\n": "b",
		"RMSG e.room 5\r\nhello\r\n":                   "e.room",
		"PING\r\n":                                     "",
		"RS+ $G e.room\r\n":                            "",
		"RMSG $G e.room none\r\n":                      "",
		"MSG e.room 17 5\r\nhello\r\n":                 "e.room",
		"PUB e.room 13\r\nMSG e.x 1 4\r\n\r\n":         "",
		"HPUB b 12 17\r\nNATS/1.0\r\n\r\nhello\r\n":    "",
	} {
		subject, n := cutMessage([]byte(line + "PONG\r\n"))
		if subject != want || n != len(line) {
			t.Errorf("%q is about %q with %d bytes, want %q with %d", line, subject, n, want, len(line))
		}
		if subject, n := cutMessage([]byte(line[:len(line)-1])); subject != "" || n != 0 {
			t.Errorf("%q is not whole, but about %q with %d bytes", line[:len(line)-1], subject, n)
		}
	}
}

func TestProxyBlocksOneDirection(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	p, err := newProxy(nil)
	if err != nil {
		t.Fatal(err)
	}
	p.forwardTo(server.Addr().String())
	p.block(toClient)
	ctx, hangUp := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { p.run(ctx); close(done) }()
	defer func() { hangUp(); <-done }()

	client, err := net.Dial("tcp", p.address())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	other, err := server.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	say := func(conn net.Conn, line string) {
		t.Helper()
		if _, err := fmt.Fprintln(conn, line); err != nil {
			t.Fatal(err)
		}
	}
	atServer, atClient := bufio.NewScanner(other), bufio.NewScanner(client)
	say(client, "there")
	if !atServer.Scan() || atServer.Text() != "there" {
		t.Errorf("the server got %q", atServer.Text())
	}
	say(other, "back")
	if err := client.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := client.Read(make([]byte, 1)); err == nil {
		t.Errorf("the client got %d bytes of what is blocked", n)
	}
	if err := client.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	p.block(0)
	if !atClient.Scan() || atClient.Text() != "back" {
		t.Errorf("the client got %q", atClient.Text())
	}
}

func TestRowLockIsTakenOutOfStatements(t *testing.T) {
	const in = "SELECT head FROM room ORDER BY id FOR UPDATE\x00 ORDER BY id FOR NO KEY UPDATE; ORDER BY id"
	blank := strings.Repeat(" ", len("ORDER BY id FOR UPDATE"))
	want := strings.Replace(in, "ORDER BY id FOR UPDATE", blank, 1)
	for size := range len(in) {
		filter, out := withoutRowLock(), ""
		for rest := in + "\n"; rest != ""; {
			n := min(size+1, len(rest))
			out += string(filter([]byte(rest[:n])))
			rest = rest[n:]
		}
		if out != want+"\n" {
			t.Errorf("in pieces of %d it became %q", size+1, out)
		}
	}
}
