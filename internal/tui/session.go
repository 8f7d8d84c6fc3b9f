package tui

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"parley/internal/files"
)

// Sessions are a person's names and sessions on one server. They are stored in a file that only
// that person can read, so that they stay the same person.
type Sessions struct {
	path string

	LastName string            `json:"last"`     // the name used last
	Tokens   map[string]string `json:"sessions"` // by name; secret
}

// OpenSessions reads the sessions with the server at host from a file in dir, which may be missing.
func OpenSessions(dir, scheme, host string) (*Sessions, error) {
	s := &Sessions{path: filepath.Join(dir, fileName(scheme+"_"+host)+".json"), Tokens: map[string]string{}}
	b, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(b, s)
	}
	if err != nil {
		return nil, fmt.Errorf("sessions with %s: %w", host, err)
	}
	if s.Tokens == nil {
		s.Tokens = map[string]string{}
	}
	return s, nil
}

func fileName(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '-' {
			return r
		}
		return '_'
	}, strings.ToLower(s))
}

// Choose returns the name to use and its session: name if it is given, else the last one used, else
// fallback. The session is "" for a new guest.
func (s *Sessions) Choose(name, fallback string) (who, session string) {
	who = cmp.Or(name, s.LastName, fallback, "guest")
	return who, s.Tokens[who]
}

// Save stores the session of a name. asked is the name that Choose returned, which the server may
// have normalised to name.
func (s *Sessions) Save(asked, name, session string) error {
	if s.LastName == name && s.Tokens[name] == session && s.Tokens[asked] == session {
		return nil
	}
	s.LastName = name
	s.Tokens[name], s.Tokens[asked] = session, session
	if err := s.write(); err != nil {
		return fmt.Errorf("remember the session: %w", err)
	}
	return nil
}

// write replaces the whole file, so that it is never incomplete.
func (s *Sessions) write() error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return err
	}
	return files.Replace(s.path, func(partial string) error { return os.WriteFile(partial, b, 0o600) })
}
