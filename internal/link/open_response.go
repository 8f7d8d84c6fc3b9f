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

// An openResponse is an HTTP response without an end. It finds out that its client
// has disconnected by reading from it: writing to a client that has disconnected
// may not fail for a long time.
type openResponse interface {
	// write blocks until b is sent.
	write(b []byte) error
	// interrupt makes a blocked write fail. It may be called until close.
	interrupt()
	// awaitDisconnect returns when the client has disconnected, or after close.
	awaitDisconnect()
	// close ends the response, after the last write.
	close()
}

// beginResponse sends the head of a response with the header of w. Over HTTP/1 it
// takes over the connection, which can carry no other request: net/http reads only
// one byte behind a request, so it would not notice the disconnect of a client that
// has sent more. The kernel ends a connection that acknowledges nothing for the
// duration idle. After an error the client has disconnected.
func beginResponse(w http.ResponseWriter, r *http.Request, idle time.Duration) (openResponse, error) {
	rc := http.NewResponseController(w)
	nc, buffered, err := rc.Hijack()
	if errors.Is(err, http.ErrNotSupported) { // HTTP/2: net/http notices when a stream ends
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
	fmt.Fprintf(&head, "HTTP/1.%d 200 OK\r\nDate: %s\r\n", min(r.ProtoMinor, 1), date)
	w.Header().Set("Connection", "close")
	w.Header().Write(&head) // a Builder takes everything
	head.WriteString("\r\n")
	// The socket has space, unless the client has not read earlier answers.
	nc.SetWriteDeadline(time.Now().Add(lingerTime)) // an error shows in the write
	if err := e.write([]byte(head.String())); err != nil {
		e.close()
		return nil, fmt.Errorf("the head of an open response: %w", err)
	}
	nc.SetWriteDeadline(time.Time{})
	return e, nil
}

// tcpBelow returns the TCP connection below nc, which may be TLS; nil if there is
// none.
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

// An http1Response has its connection to itself and ends with it.
type http1Response struct {
	nc net.Conn
	in *bufio.Reader
}

func (e *http1Response) write(b []byte) error {
	_, err := e.nc.Write(b)
	return err
}

func (e *http1Response) interrupt() { e.nc.SetWriteDeadline(time.Now()) } // fails if the connection has ended

// maxIgnored is how many bytes behind its request a client may send before it
// counts as disconnected.
const maxIgnored = 64 << 10

func (e *http1Response) awaitDisconnect() {
	for ignored := 0; ignored <= maxIgnored; {
		if _, err := e.in.Peek(1); err != nil {
			return
		}
		n, err := e.in.Discard(e.in.Buffered())
		if err != nil {
			return
		}
		ignored += n
	}
}

func (e *http1Response) close() {
	if tcp := tcpBelow(e.nc); tcp != nil && tcp != e.nc {
		// Closing TLS waits up to 5 seconds for a full socket, whatever deadline is set.
		defer time.AfterFunc(time.Second, func() { tcp.Close() }).Stop()
	}
	e.nc.Close()
}

// An http2Response is a stream of HTTP/2. It must not be used after its handler has
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

func (e *http2Response) interrupt() { e.rc.SetWriteDeadline(time.Now()) } // fails only in tests, where no write blocks

func (e *http2Response) awaitDisconnect() {
	select {
	case <-e.done:
	case <-e.closed:
	}
}

func (e *http2Response) close() { close(e.closed) }
