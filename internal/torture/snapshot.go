package torture

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/coder/websocket"

	"parley/client"
)

const setBackName = "setback"

// snapshotOf reads a folder. It returns a function that restores the content of each file in place
// and removes newer files.
func snapshotOf(dir string) (restore func() error, err error) {
	files := map[string][]byte{}
	each := func(do func(path string) error) error {
		return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			return do(path)
		})
	}
	if err := each(func(path string) (err error) { files[path], err = os.ReadFile(path); return err }); err != nil {
		return nil, fmt.Errorf("a snapshot of %s: %w", dir, err)
	}
	return func() error {
		err := each(func(path string) error {
			if _, ok := files[path]; ok {
				return nil
			}
			return os.Remove(path)
		})
		for path, content := range files {
			err = errors.Join(err, os.WriteFile(path, content, 0o600)) // an old file stays the same inode
		}
		return err
	}, nil
}

// A savedPosition is what a client holds of a room when the machine is reset.
type savedPosition struct {
	door  string
	seq   int64
	at    string
	epoch string
	id    string // of an event stream
}

// restoreSnapshot takes a snapshot, posts messages that a client sees on every door, resets the
// machine to the snapshot, and posts other messages, which get the same seqs. Every client that
// then resumes with its position must be told that it is from another log.
func (s *round) restoreSnapshot(ctx context.Context, rnd *rand.Rand, f hasFiles) (found []Finding, err error) {
	folder, _ := f.Files()
	if err := s.posts(ctx, 2+rnd.IntN(3)); err != nil {
		return nil, err
	}
	var restore func() error
	snapshot := func() (err error) {
		restore, err = snapshotOf(folder)
		return err
	}
	nothing := func() error { return nil }
	if err := s.whileStopped(ctx, snapshot, nothing); err != nil {
		return nil, err
	}
	said := 1 + rnd.IntN(4)
	if err := s.posts(ctx, said); err != nil {
		return nil, err
	}
	positions, err := s.takePositions(ctx)
	if err != nil {
		return nil, fmt.Errorf("positions in a room: %w", err)
	}
	live, err := client.Dial(ctx, s.proxy.url(),
		client.Options{Name: "stays", MinBackoff: 20 * time.Millisecond, MaxBackoff: 100 * time.Millisecond})
	if err != nil {
		return nil, err
	}
	defer live.Close()
	if _, err := live.Join(ctx, s.rooms[0]); err != nil {
		return nil, err
	}
	others := func() error { return s.posts(ctx, said+rnd.IntN(3)) }
	if err := s.whileStopped(ctx, restore, others); err != nil {
		return nil, err
	}
	seen, err := s.allComeBack(ctx, positions)
	if err != nil {
		return nil, err
	}
	if why := awaitReset(ctx, live); why != nil {
		seen.Blind = append(seen.Blind,
			fmt.Sprintf("package client was in %s when the machine was set back, and %v", s.rooms[0], why))
	}
	return Check(seen), nil
}

// whileStopped stops the server, calls do, and starts it; then it calls then before any client but
// the prober can connect again. The caller holds s.server.
func (s *round) whileStopped(ctx context.Context, do, then func() error) error {
	s.forwardNowhere()
	if err := s.cfg.Subject.Stop(); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	began := time.Now()
	address, err := s.cfg.Subject.Start(ctx)
	if err != nil {
		return err
	}
	s.url.Store(&address)
	s.slowProxy.forwardTo(strings.TrimPrefix(address, "http://"))
	if err := s.well(ctx); err != nil {
		return err
	}
	s.back(setBackName, time.Since(began))
	if err := then(); err != nil {
		return err
	}
	s.forward(address)
	return nil
}

// takePositions joins the room through each door that has a cursor, and returns the positions.
func (s *round) takePositions(ctx context.Context) (positions []savedPosition, err error) {
	for _, take := range []func(context.Context) (savedPosition,
		error){s.placeByFrames, s.placeByStream, s.placeByPage} {
		p, err := take(ctx)
		if err != nil {
			return nil, err
		}
		positions = append(positions, p)
	}
	return positions, nil
}

// allComeBack resumes from each position, and returns where a client was told to continue.
func (s *round) allComeBack(ctx context.Context, positions []savedPosition) (seen Evidence, err error) {
	for _, p := range positions {
		told, err := map[string]func(context.Context, savedPosition) (bool, error){
			doorFrames: s.backByFrames, doorStream: s.backByStream, doorPage: s.backByPage,
		}[p.door](ctx, p)
		if err != nil {
			return seen, fmt.Errorf("back by %s: %w", p.door, err)
		}
		if !told {
			seen.Blind = append(seen.Blind,
				fmt.Sprintf("whoever had read %s up to %d when it was set back came by %s, and was told to go on",
					s.rooms[0], p.seq, p.door))
		}
	}
	return seen, nil
}

const (
	doorFrames = "/ws"
	doorStream = "an event stream"
	doorPage   = "a page of the log"
)

// joins joins the room with raw frames, and returns the answer.
func (s *round) joins(ctx context.Context, join map[string]any) (epoch string, f frame, err error) {
	ctx, cancel := context.WithTimeout(ctx, waitLimit)
	defer cancel()
	v, f, err := s.joinAt(ctx, s.address(), s.rooms[0], join)
	if err != nil {
		return "", f, err
	}
	defer v.ws.CloseNow()
	return v.epoch, f, nil
}

// joinAt joins a room at a node with raw frames, as a new guest. It returns the connection, which the caller closes,
// and the answer.
func (s *round) joinAt(ctx context.Context, url, room string, join map[string]any) (_ *connection, f frame, err error) {
	v := &connection{}
	v.ws, _, err = websocket.Dial(ctx, url+"/ws",
		&websocket.DialOptions{HTTPClient: s.http, Subprotocols: []string{"parley.v1"}})
	if err != nil {
		return nil, f, err
	}
	defer func() {
		if err != nil {
			v.ws.CloseNow()
		}
	}()
	v.ws.SetReadLimit(4 << 20)
	if err := v.write(ctx, map[string]any{"op": "hello", "id": 1, "name": "comes back"}); err != nil {
		return nil, f, err
	}
	hello, err := v.read(ctx)
	if err != nil {
		return nil, f, err
	}
	v.epoch = hello.Epoch
	join["op"], join["id"], join["room"] = "join", 2, room
	if err := v.write(ctx, join); err != nil {
		return nil, f, err
	}
	for f.ID != 2 {
		if f, err = v.read(ctx); err != nil {
			return nil, f, err
		}
	}
	return v, f, nil
}

func (s *round) placeByFrames(ctx context.Context) (savedPosition, error) {
	epoch, f, err := s.joins(ctx, map[string]any{})
	return savedPosition{door: doorFrames, seq: f.Seq, at: f.At, epoch: epoch}, err
}

func (s *round) backByFrames(ctx context.Context, p savedPosition) (told bool, err error) {
	_, f, err := s.joins(ctx, map[string]any{"after": p.seq, "at": p.at, "epoch": p.epoch})
	return f.Op == "behind" && f.Reset, err
}

func (s *round) placeByStream(ctx context.Context) (savedPosition, error) {
	l, err := s.listen(ctx, s.rooms[0], "")
	if err != nil {
		return savedPosition{}, err
	}
	defer l.close()
	l.next()
	_, seq, _ := l.place()
	return savedPosition{door: doorStream, seq: seq, id: l.id}, nil
}

func (s *round) backByStream(ctx context.Context, p savedPosition) (told bool, err error) {
	l, err := s.listen(ctx, s.rooms[0], p.id)
	if err != nil {
		return false, err
	}
	defer l.close()
	first := l.next()
	return first["event"] == "behind" && strings.Contains(first["data"], `"reset":true`), nil
}

func (s *round) placeByPage(ctx context.Context) (savedPosition, error) {
	now, err := s.page(ctx, s.rooms[0], "log?limit=1")
	return savedPosition{door: doorPage, seq: now.Seq, at: now.At, epoch: now.Epoch}, err
}

func (s *round) backByPage(ctx context.Context, p savedPosition) (told bool, err error) {
	q := url.Values{"after": {fmt.Sprint(p.seq)}, "at": {p.at}, "epoch": {p.epoch}}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.address()+"/api/rooms/"+s.rooms[0]+"/log?"+q.Encode(),
		nil)
	if err != nil {
		return false, err
	}
	answer, err := s.http.Do(r)
	if err != nil {
		return false, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return false, err
	}
	var problem struct {
		Code string `json:"code"`
	}
	return answer.StatusCode == http.StatusConflict && json.NewDecoder(bytes.NewReader(body)).Decode(&problem) == nil &&
		problem.Code == "behind", nil
}

// awaitReset waits until a client reports that a room was reset; the error says what it reported
// instead.
func awaitReset(ctx context.Context, c *client.Client) error {
	ctx, cancel := context.WithTimeout(ctx, waitLimit)
	defer cancel()
	back := false
	for {
		e, err := c.Next(ctx)
		if err != nil {
			return fmt.Errorf("was not told within %v (back: %v)", waitLimit, back)
		}
		switch e := e.(type) {
		case client.Reset:
			return nil
		case client.Connected:
			back = true
		case client.Message:
			return fmt.Errorf("was given %d as if nothing had happened", e.Seq)
		}
	}
}
