package torture

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// heads sends a HEAD request for every readable address over one connection, as proxies with pooled
// connections do. After each, a GET of a room must be answered correctly on the same connection,
// because the answer to a HEAD ends with its header.
func (s *round) heads(ctx context.Context, rnd *rand.Rand) error {
	paths, err := s.readable(ctx)
	if err != nil {
		return nil // the server is not running
	}
	rnd.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
	var conn net.Conn
	defer func() {
		if conn != nil {
			conn.Close()
		}
	}()
	var in *bufio.Reader
	for _, path := range paths {
		if ctx.Err() != nil {
			return nil
		}
		if conn == nil {
			if conn, err = net.Dial("tcp", strings.TrimPrefix(s.address(), "http://")); err != nil {
				return nil
			}
			in = bufio.NewReader(conn)
		}
		closes, err := s.headThenGet(conn, in, path)
		switch {
		case err != nil && s.isFault(err):
			s.ledger.unanswered(fmt.Sprintf("HEAD %s, and then a GET on the same connection: %v", path, err))
			return nil
		case err != nil: // the server was ended
			return nil
		case closes:
			conn.Close()
			conn = nil
		}
	}
	return nil
}

// headThenGet sends a HEAD request for path and then a GET of a room. closes reports whether the
// server closed the connection after the first answer.
func (s *round) headThenGet(conn net.Conn, in *bufio.Reader, path string) (closes bool, err error) {
	if err := conn.SetDeadline(time.Now().Add(headPatience)); err != nil {
		return false, err
	}
	ask := func(method, path string) (*http.Response, error) {
		if _, err := fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: %s\r\n\r\n", method, path,
			conn.RemoteAddr()); err != nil {
			return nil, err
		}
		return http.ReadResponse(in, &http.Request{Method: method})
	}
	head, err := ask(http.MethodHead, path)
	if err != nil {
		return false, err
	}
	if head.Close {
		return true, nil
	}
	room, err := ask(http.MethodGet, "/api/rooms/"+s.rooms[0])
	if err != nil {
		return false, err
	}
	defer room.Body.Close()
	body, err := io.ReadAll(room.Body)
	if err == nil && room.StatusCode == http.StatusOK && !json.Valid(body) {
		err = fmt.Errorf("%w: the room is %.60q", errGarbled, body)
	}
	return room.Close, err
}

const headPatience = 10 * time.Second

var errGarbled = errors.New("the answer is not what was asked for")

// isFault reports whether err is more than a server that was ended: there was no answer although it
// was running, or something that is not an answer.
func (s *round) isFault(err error) bool {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		ctx, cancel := context.WithTimeout(context.Background(), headPatience)
		defer cancel()
		_, err := s.head(ctx, s.rooms[0]) // if it answers on another connection, it was running
		return err == nil
	case errors.Is(err, errGarbled):
		return true
	}
	return strings.Contains(err.Error(), "malformed HTTP") // net/http has no type for this error
}

// readable returns every address that supports GET.
func (s *round) readable(ctx context.Context) ([]string, error) {
	var doc struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := s.get(ctx, "/api/openapi.json", "", &doc); err != nil {
		return nil, err
	}
	fill := strings.NewReplacer("{room}", s.rooms[0], "{seq}", "1", "{emoji}", "%F0%9F%91%8D")
	paths := []string{
		"/", "/r/" + s.rooms[0], "/ws", "/chatroom/" + s.rooms[0], "/assets/", "/sw.js", "/nowhere",
		"/api/openapi.json", "/api/docs",
	}
	for path, methods := range doc.Paths {
		if _, ok := methods["get"]; ok {
			paths = append(paths, fill.Replace(path))
		}
	}
	return paths, nil
}
