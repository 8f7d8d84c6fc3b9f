package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"parley/internal/store/sqlite"
)

// A server listens on this socket in its data folder for requests of other commands. Everybody who
// may open the folder may use it.
const socketName = "parley.sock"

// longPath is the greatest length of a socket's address, in bytes, that every system allows.
const longPath = 100

// socketAddress returns an address for the socket in a data folder. It is valid until release is
// called.
func socketAddress(dir string) (address string, release func(), err error) {
	address = filepath.Join(dir, socketName)
	if len(address) < longPath {
		return address, func() {}, nil
	}
	if runtime.GOOS != "linux" {
		return "", nil, errors.New("the data folder's path is too long for a socket in it")
	}
	folder, err := os.Open(dir)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", folder.Fd(), socketName), func() { folder.Close() }, nil
}

// dialSocket returns a function that connects to the server that uses a data folder, or an error if
// there is none.
func dialSocket(dir string) (func(ctx context.Context, network, address string) (net.Conn, error), error) {
	if _, err := os.Stat(filepath.Join(dir, socketName)); err != nil {
		return nil, err
	}
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		address, release, err := socketAddress(dir)
		if err != nil {
			return nil, err
		}
		defer release()
		return new(net.Dialer).DialContext(ctx, "unix", address)
	}, nil
}

// A socket is the server's end.
type socket struct {
	dir    string
	store  *sqlite.Store
	logger *slog.Logger
	turn   chan struct{} // capacity 1: held while a copy is made or sent
	stall  time.Duration // for how long the receiver of a copy may read nothing
}

// stallTimeout is how long the receiver of a copy may read nothing, because the copy takes space on
// the server's disk meanwhile.
const stallTimeout = time.Minute

func newSocket(dir string, log *sqlite.Store, logger *slog.Logger) *socket {
	return &socket{dir: dir, store: log, logger: logger, turn: make(chan struct{}, 1), stall: stallTimeout}
}

// Run answers requests until ctx ends. If the data folder cannot hold a socket, Run only waits;
// other commands then work without the server.
func (s *socket) Run(ctx context.Context) error {
	ln, release, err := s.listen(ctx)
	if err != nil {
		s.logger.LogAttrs(ctx, slog.LevelInfo, "no socket in the data folder: a back-up reads the database itself",
			slog.Any("err", err))
		<-ctx.Done()
		return nil
	}
	defer release()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /backup", s.backup)
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: stallTimeout, ErrorLog: slog.NewLogLogger(s.logger.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ln) }()
	select {
	case <-ctx.Done():
		err = server.Close()
		<-ended
	case err = <-ended:
		err = errors.Join(fmt.Errorf("the socket in the data folder: %w", err), server.Close())
	}
	s.turn <- struct{}{} // waits until a copy that is being sent no longer uses the store
	return err
}

func (s *socket) listen(ctx context.Context) (net.Listener, func(), error) {
	address, release, err := socketAddress(s.dir)
	if err != nil {
		return nil, nil, err
	}
	_ = os.Remove(filepath.Join(s.dir, socketName)) // left by a killed server; the folder is ours
	ln, err := new(net.ListenConfig).Listen(ctx, "unix", address)
	if err == nil {
		err = os.Chmod(filepath.Join(s.dir, socketName), 0o600)
	}
	if err != nil {
		release()
		return nil, nil, err
	}
	return ln, release, nil
}

// backup makes a copy and sends it. A receiver that is slow or stopped delays only its own copy.
func (s *socket) backup(w http.ResponseWriter, r *http.Request) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	default:
		http.Error(w, "the server makes another back-up; try again when that one is ready", http.StatusConflict)
		return
	}
	began := time.Now()
	f, err := s.store.Copy(r.Context())
	if err != nil {
		status := http.StatusInternalServerError
		if errors.Is(err, sqlite.ErrNoRoom) {
			status = http.StatusInsufficientStorage
		}
		s.logger.LogAttrs(r.Context(), slog.LevelWarn, "a back-up could not be made", slog.Any("err", err))
		http.Error(w, err.Error(), status)
		return
	}
	defer f.Close()
	if err := s.send(w, f.File); err != nil {
		s.logger.LogAttrs(r.Context(), slog.LevelWarn, "a back-up was given up: whoever asked for it takes nothing",
			slog.Any("err", err))
		return
	}
	s.logger.LogAttrs(r.Context(), slog.LevelInfo, "a back-up was made", slog.Duration("took", time.Since(began)))
}

func (s *socket) send(w http.ResponseWriter, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/vnd.sqlite3")
	w.Header().Set("Content-Length", fmt.Sprint(info.Size()))
	control := http.NewResponseController(w)
	const part = 256 << 10
	for {
		if err := control.SetWriteDeadline(time.Now().Add(s.stall)); err != nil {
			return err
		}
		_, err := io.CopyN(w, f, part)
		if errors.Is(err, io.EOF) {
			return control.Flush()
		}
		if err != nil {
			return err
		}
	}
}
