package link

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// An endless is an HTTP answer without an end of its own, such as an event stream.
// Its client is known to be gone because reading from it says so: a write to
// somebody who has gone need not fail for a long time.
type openResponse interface {
	// write waits until the client has taken b.
	write(b []byte) error
	// interrupt has a write that waits fail. It may be called at any time until close.
	interrupt()
	// awaitGone returns when the client is gone, or never.
	awaitDisconnect()
	// close is called once nothing is written any more. awaitGone returns then.
	close()
}

// beginResponse begins an answer with what w's header holds. It takes a connection
// of HTTP/1 over, for that has no other request until it ends: net/http reads one
// byte beyond a request and no more, and so does not hear of the end that comes
// behind that byte. After an error nobody is left to answer.
func beginResponse(w http.ResponseWriter, r *http.Request, idle time.Duration) (openResponse, error) {
	rc := http.NewResponseController(w)
	nc, buffered, err := rc.Hijack()
	if errors.Is(err, http.ErrNotSupported) { // HTTP/2, whose streams tell by themselves when they end
		return &http2Response{w: w, rc: rc, done: r.Context().Done(), closed: make(chan struct{})}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("taking a connection over: %w", err)
	}
	if idle > 0 {
		setUserTimeout(tcpBelow(nc), idle)
	}
	e := &http1Response{nc: nc, in: buffered.Reader}
	var head strings.Builder
	date := time.Now().UTC().Format(http.TimeFormat)
	fmt.Fprintf(&head, "HTTP/1.%d 200 OK\r\nDate: %s\r\nConnection: close\r\n", min(r.ProtoMinor, 1), date)
	w.Header().Write(&head) // a Builder takes everything
	head.WriteString("\r\n")
	// The socket has room for it, unless the client has sent requests and not read the answers.
	nc.SetWriteDeadline(time.Now().Add(lingerTime)) // an error shows in the write
	if err := e.write([]byte(head.String())); err != nil {
		e.close()
		return nil, fmt.Errorf("the head of an endless answer: %w", err)
	}
	nc.SetWriteDeadline(time.Time{})
	return e, nil
}

// tcpBelow returns the TCP connection that a connection goes over, or nil.
func tcpBelow(nc net.Conn) *net.TCPConn {
	if t, ok := nc.(*tls.Conn); ok {
		nc = t.NetConn()
	}
	if raw, ok := nc.(*rawConn); ok {
		nc = raw.Conn
	}
	tcp, _ := nc.(*net.TCPConn)
	return tcp
}

// endlessConn is an answer on a connection of its own. It ends with the connection.
type http1Response struct {
	nc net.Conn
	in *bufio.Reader
}

func (e *http1Response) write(b []byte) error {
	_, err := e.nc.Write(b)
	return err
}

func (e *http1Response) interrupt() { e.nc.SetWriteDeadline(time.Now()) } // an error means that it has ended

// mostUnasked is how many bytes a client may send that nobody has asked for.
const maxUnsolicitedBytes = 64 << 10

func (e *http1Response) awaitDisconnect() {
	for unasked := 0; unasked <= maxUnsolicitedBytes; {
		if _, err := e.in.Peek(1); err != nil {
			return
		}
		n, err := e.in.Discard(e.in.Buffered())
		if err != nil {
			return
		}
		unasked += n
	}
}

func (e *http1Response) close() {
	if tcp := tcpBelow(e.nc); tcp != nil && tcp != e.nc {
		// A TLS goodbye waits 5 seconds for a full socket, whatever deadline was set before.
		defer time.AfterFunc(time.Second, func() { tcp.Close() }).Stop()
	}
	e.nc.Close()
}

// endlessResponse is an answer by HTTP/2. It must not be used when its handler has
// returned.
type http2Response struct {
	w      http.ResponseWriter
	rc     *http.ResponseController
	done   <-chan struct{}
	closed chan struct{}
}

func (e *http2Response) write(b []byte) error {
	if _, err := e.w.Write(b); err != nil {
		return err
	}
	return e.rc.Flush()
}

func (e *http2Response) interrupt() { e.rc.SetWriteDeadline(time.Now()) } // without deadlines no write waits

func (e *http2Response) awaitDisconnect() {
	select {
	case <-e.done:
	case <-e.closed:
	}
}

func (e *http2Response) close() { close(e.closed) }
