package torture

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// busFaults say what happens to the messages between nodes. The zero value lets all pass.
type busFaults struct {
	drop    float64 // the share that is lost
	double  float64 // the share that comes twice
	reorder float64 // the share that comes after the next one
	newest  bool    // the newest message about each room waits until the next one about it, and is lost if none comes
	beats   bool    // the faults concern beats too
}

// A busWeather is what happens at present to the messages between all nodes. They speak NATS, which is lines of text
// with payloads, so that a proxy can lose single messages.
type busWeather struct {
	mu     sync.Mutex
	rnd    *rand.Rand
	faults busFaults
	lost   int // messages, also doubled and reordered ones
}

func newBusWeather() *busWeather { return &busWeather{rnd: rand.New(rand.NewPCG(1, 1))} }

func (w *busWeather) set(f busFaults) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = f
}

// A busStream is one direction of a connection between two nodes, or between a node and a NATS server.
type busStream struct {
	weather *busWeather
	rest    []byte            // of a message that has not come whole
	late    []byte            // a message that comes after the next one
	newest  map[string][]byte // by subject
}

// newFilter returns what passes on the bytes of one direction.
func (w *busWeather) newFilter() func([]byte) []byte {
	s := &busStream{weather: w, newest: map[string][]byte{}}
	return s.pass
}

// pass takes bytes and returns those that come to the other side.
func (s *busStream) pass(chunk []byte) (out []byte) {
	s.rest = append(s.rest, chunk...)
	for {
		subject, n := cutMessage(s.rest)
		if n == 0 {
			return out
		}
		message := slices.Clone(s.rest[:n])
		s.rest = s.rest[n:]
		if subject == "" {
			out = append(out, message...)
			continue
		}
		out = s.carry(out, subject, message)
	}
}

// beatSubject ends the subjects of the messages by which nodes say that they live and what they have sent.
const beatSubject = ".b"

// carry appends to out what becomes of a message.
func (s *busStream) carry(out []byte, subject string, message []byte) []byte {
	w := s.weather
	w.mu.Lock()
	defer w.mu.Unlock()
	if strings.HasSuffix(subject, beatSubject) && !w.faults.beats {
		return append(out, message...)
	}
	if w.faults.newest {
		message, s.newest[subject] = s.newest[subject], message
		return append(out, message...)
	}
	clear(s.newest)
	switch share := w.rnd.Float64(); {
	case share < w.faults.drop:
		w.lost++
		return out
	case share < w.faults.drop+w.faults.double:
		w.lost++
		out = append(out, message...)
	case share < w.faults.drop+w.faults.double+w.faults.reorder && s.late == nil:
		w.lost++
		s.late = message
		return out
	}
	out = append(append(out, message...), s.late...)
	s.late = nil
	return out
}

// cutMessage returns the subject and the length of the first operation in b: 0 if it has not come whole, and no subject
// if it is no message that arrives. A message is a line such as "RMSG account subject 5", then as many bytes and an end
// of line. What a node publishes has the same form, and passes: it may be lost when it comes to others.
func cutMessage(b []byte) (subject string, length int) {
	end := bytes.Index(b, []byte("\r\n"))
	if end < 0 {
		return "", 0
	}
	length = end + 2
	fields := bytes.Fields(b[:end])
	if len(fields) < 3 {
		return "", length
	}
	operation := string(fields[0])
	if !slices.Contains([]string{"MSG", "RMSG", "HMSG", "PUB", "HPUB"}, operation) {
		return "", length
	}
	size, err := strconv.Atoi(string(fields[len(fields)-1]))
	if err != nil {
		return "", length
	}
	if length += size + 2; length > len(b) {
		return "", 0
	}
	switch {
	case operation == "PUB" || operation == "HPUB":
		return "", length
	case operation == "MSG": // from a NATS server to a node: subject, number of the subscription, size
		return string(fields[1]), length
	}
	// Between nodes, lines with one size are RMSG, those with two HMSG. On the route of one account, the account is
	// left out.
	sizes := 1
	if operation == "HMSG" {
		sizes = 2
	}
	if len(fields) > 2+sizes {
		return string(fields[2]), length
	}
	return string(fields[1]), length
}
