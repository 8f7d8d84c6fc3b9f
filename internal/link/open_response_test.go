package link

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
)

// hijackable is an answer on a connection that can be taken over.
type hijackable struct {
	*httptest.ResponseRecorder
	nc net.Conn
}

func (h hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.nc, bufio.NewReadWriter(bufio.NewReader(h.nc), bufio.NewWriter(h.nc)), nil
}

// A client that has not read earlier responses, so that there is no space even for
// the head of a stream, must not keep its handler waiting.
func TestHeadOfAStreamIsNotWaitedForWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		w := hijackable{httptest.NewRecorder(), ours}
		r := httptest.NewRequest(http.MethodGet, "/api/rooms/lobby/events", nil)
		if _, err := beginResponse(w, r, 0); err == nil {
			t.Error("a stream has begun though its head was not read")
		}
		if _, err := theirs.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the connection goes on: %v", err)
		}
	})
}
