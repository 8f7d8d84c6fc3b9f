package server

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"parley/internal/room"
)

// TestOverTLS runs tests of WebSockets once more, over TLS.
func TestOverTLS(t *testing.T) {
	if testing.Short() {
		t.Skip("repeats a third of the tests")
	}
	overTLS = true
	defer func() { overTLS = false }()
	for name, test := range map[string]func(*testing.T){
		"two people talk":         TestTwoPeopleTalk,
		"commands":                TestCommandsAreAnswered,
		"closing":                 TestWebSocketIsClosedAsRFC6455Says,
		"fragments":               TestFragmentsWithControlFramesBetween,
		"frames":                  TestFramesAreReadAndRefusedAsRFC6455Says,
		"sessions and cookies":    TestSamePersonComesBackBySessionOrCookie,
		"nonces":                  TestNonceIsAnsweredOnceEvenAfterARestart,
		"resuming":                TestResumeWhileOthersTalkAtFullSpeed,
		"resuming across changes": TestResumingAcrossChanges,
		"behind":                  TestBehindAndWhatComesAfter,
		"one who takes nothing":   TestClientThatTakesNothingIsClosedAndDelaysNobody,
		"one who is silent":       TestSilentClientIsPingedThenClosed,
		"stopping":                TestStopAnswersWhatWasAcceptedAndSaysGoodbye,
		"connections per address": TestConnectionsPerAddress,
		"upgrade from elsewhere":  TestUpgradeFromElsewhereIsRefused,
		"no upgrade":              TestRequestThatIsNoUpgradeIsAProblem,
		"changes":                 TestChangesOnWSAreAnsweredAndHeard,
		"lists of rooms":          TestTwoDevicesKeepOneListOfRooms,
		"five lines":              TestFiveLineProtocol,
		"a panic in a command":    TestPanicWhereACommandIsCarriedOutEndsThatConnection,
		"a panic in an answer":    TestPanicWhereASendIsAnsweredEndsThatConnection,
		"frames in pieces":        testFramesInPieces,
		"TLS 1.2": func(t *testing.T) {
			anyCertificate.MaxVersion = tls.VersionTLS12
			defer func() { anyCertificate.MaxVersion = 0 }()
			for name, test := range map[string]func(*testing.T){
				"two people talk":       TestTwoPeopleTalk,
				"closing":               TestWebSocketIsClosedAsRFC6455Says,
				"frames in pieces":      testFramesInPieces,
				"one who takes nothing": TestClientThatTakesNothingIsClosedAndDelaysNobody,
			} {
				t.Run(name, test)
			}
		},
	} {
		t.Run(name, test)
	}
}

// testFramesInPieces sends frames in records of one byte, in many records, and in
// records that are cut anywhere, and reads them back.
func testFramesInPieces(t *testing.T) {
	ts := startServer(t, Config{DebugEcho: true, FrameSize: 256 << 10}, room.Config{})
	cut := &cutter{Conn: ts.beginTCP(t, ""), size: 1 << 20}
	secure := tls.Client(cut, anyCertificate)
	c := ts.talkOver(t, secure, "/debug/echo")
	for name, tt := range map[string]struct {
		text   int // bytes of the message
		record int // bytes of it in a record
		piece  int // bytes of records that are sent at once
	}{
		"records of a byte":      {text: 300, record: 1, piece: 1 << 20},
		"bytes of records":       {text: 300, record: 1 << 20, piece: 1},
		"many records":           {text: 200 << 10, record: 1000, piece: 1 << 20},
		"large records":          {text: 200 << 10, record: 1 << 20, piece: 1 << 20},
		"cut within the header":  {text: 40 << 10, record: 5000, piece: 3},
		"cut within the records": {text: 100 << 10, record: 16 << 10, piece: 1777},
	} {
		t.Run(name, func(t *testing.T) {
			cut.size = tt.piece
			want := bytes.Repeat([]byte("0123456789abcdef"), tt.text/16+1)[:tt.text]
			var frame bytes.Buffer
			if err := ws.WriteFrame(&frame, ws.MaskFrame(ws.NewBinaryFrame(want))); err != nil {
				t.Fatal(err)
			}
			for b := frame.Bytes(); len(b) > 0; b = b[min(len(b), tt.record):] {
				if _, err := secure.Write(b[:min(len(b), tt.record)]); err != nil {
					t.Fatal(err)
				}
			}
			if f := c.frame(); !bytes.Equal(f.Payload, want) {
				t.Errorf("%d bytes came back, not the same %d", len(f.Payload), len(want))
			}
		})
	}
}

// A cutter sends what is written in pieces.
type cutter struct {
	net.Conn
	size int
}

func (c *cutter) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = c.Conn.Write(p[n:min(len(p), n+c.size)])
		n += m
	}
	return n, err
}

func startSecure(t *testing.T, cfg Config) *testServer {
	overTLS = true
	defer func() { overTLS = false }()
	return startServer(t, cfg, room.Config{})
}

func TestTLSSessionIsResumedOnWebSocketsToo(t *testing.T) {
	ts := startSecure(t, Config{})
	resuming := anyCertificate.Clone()
	resuming.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	resuming.ServerName = "localhost"
	for _, resumed := range []bool{false, true} {
		secure := tls.Client(ts.beginTCP(t, ""), resuming)
		c := ts.talkOver(t, secure, "/ws")
		if r := c.ask(`"op":"hello","name":"Ada"`); r.Op != "ok" {
			t.Fatalf("hello: %+v", r)
		}
		if got := secure.ConnectionState().DidResume; got != resumed {
			t.Errorf("resumed %v, want %v", got, resumed)
		}
	}
}

func TestTLSIsEndedAsItShouldBe(t *testing.T) {
	ts := startSecure(t, Config{})
	c := ts.hello(t, "Ada")
	c.put(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusNormalClosure, "")))
	c.wantClose(ws.StatusNormalClosure)
	if _, err := c.in.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("%v behind the last frame, want a close_notify", err)
	}
}

// beginTCP connects, sends begin and waits for nothing.
func (ts *testServer) beginTCP(t *testing.T, begin string) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", strings.TrimPrefix(strings.TrimPrefix(ts.url, "https://"), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	if _, err := io.WriteString(nc, begin); err != nil {
		t.Fatal(err)
	}
	return nc
}
