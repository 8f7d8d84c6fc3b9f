package cluster

import (
	"encoding/binary"
	"sync"
)

const (
	// listings is in how many beats each message is listed. Whoever receives none of them has lost as many beats in a
	// row.
	listings = 5
	// maxSent limits how many subjects a sender remembers. Beyond it, the others are told that they missed everything.
	maxSent = 100_000
	// maxBeatBody is how many bytes of a list are in one frame.
	maxBeatBody = 64 << 10
)

// A sender numbers what a node sends, and lists it in beats.
type sender struct {
	id  NodeID
	bus Bus

	mu     sync.Mutex
	number uint64              // of the last message
	sent   map[string]lastSent // by subject: what is listed in beats
	beats  uint64              // how many
}

// lastSent is the last message on one subject.
type lastSent struct {
	number uint64
	listed int // in so many beats
}

// send publishes a message under the next number. The lock is held meanwhile, so that the bus gets messages in the
// order of their numbers.
func (s *sender) send(subject string, payload []byte) {
	f := frame{kind: messageFrame, from: s.id, body: payload}
	if len(payload) > MaxPayload {
		f.kind, f.body = wakeUpFrame, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sent) >= maxSent {
		clear(s.sent)
		s.beats += listings + 1 // looks as if the beats had been lost that listed them
	}
	s.number++
	f.number, f.previous = s.number, s.sent[subject].number
	s.sent[subject] = lastSent{number: s.number}
	s.bus.Publish(subject, f.encode())
}

// beat publishes a beat: the number of the last message on each subject that has not been listed often enough. A long
// list goes in several parts with the same number.
func (s *sender) beat() {
	for _, f := range s.nextBeat() {
		s.bus.Publish(beatSubject, f.encode())
	}
}

func (s *sender) nextBeat() []frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.beats++
	lists := [][]byte{nil}
	for subject, last := range s.sent {
		list := &lists[len(lists)-1]
		*list = binary.AppendUvarint(*list, uint64(len(subject)))
		*list = append(*list, subject...)
		*list = binary.AppendUvarint(*list, last.number)
		if len(*list) > maxBeatBody {
			lists = append(lists, nil)
		}
		if last.listed++; last.listed == listings {
			delete(s.sent, subject)
		} else {
			s.sent[subject] = last
		}
	}
	var frames []frame
	for i, list := range lists {
		body := binary.AppendUvarint(nil, uint64(i))
		body = binary.AppendUvarint(body, uint64(len(lists)))
		frames = append(frames, frame{kind: beatFrame, from: s.id, number: s.beats, body: append(body, list...)})
	}
	return frames
}

// goodbye publishes a last beat, and that there will be no more.
func (s *sender) goodbye() {
	s.beat()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.beats++
	s.bus.Publish(beatSubject, frame{kind: goodbyeFrame, from: s.id, number: s.beats}.encode())
}
