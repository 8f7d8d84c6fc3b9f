package cluster

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
)

// frameVersion is the first byte of each frame. A node ignores frames of other versions.
const frameVersion = 1

// MaxPayload is how many bytes a message may have to be sent as it is. In place of a longer one, the other nodes are
// told that they missed one.
const MaxPayload = 256 << 10

// beatSubject is the subject of beats and goodbyes.
const beatSubject = "b"

// A frameKind says what a frame is.
type frameKind byte

const (
	messageFrame frameKind = 'm'
	wakeUpFrame  frameKind = 'w' // in place of a message that was too long
	beatFrame    frameKind = 'b'
	goodbyeFrame frameKind = 'g' // the sender stops
)

// A frame is what nodes send over the bus.
type frame struct {
	kind frameKind
	from NodeID
	// number is greater than that of any earlier message of the sender. Beats and goodbyes have their own numbers:
	// 1, 2, 3 …
	number uint64
	// previous is the number of the sender's message before this one on the same subject, or 0 if the sender does not
	// remember it: then all that listen have received that one or have been told that they missed it.
	previous uint64
	body     []byte
}

func (f frame) encode() []byte {
	b := make([]byte, 0, 2+len(f.from)+3*binary.MaxVarintLen64+len(f.body))
	b = append(b, frameVersion, byte(f.kind))
	b = binary.AppendUvarint(b, uint64(len(f.from)))
	b = append(b, f.from...)
	b = binary.AppendUvarint(b, f.number)
	b = binary.AppendUvarint(b, f.previous)
	return append(b, f.body...)
}

var errFrame = errors.New("not a frame of this version")

func decodeFrame(b []byte) (frame, error) {
	if len(b) < 2 || b[0] != frameVersion {
		return frame{}, errFrame
	}
	f := frame{kind: frameKind(b[1])}
	r := fields{rest: b[2:]}
	f.from = NodeID(r.text())
	f.number, f.previous = r.uint(), r.uint()
	f.body = r.rest
	if r.bad || f.from == "" || f.number == 0 {
		return frame{}, errFrame
	}
	return f, nil
}

// fields reads the fields of a frame one by one. After a field that is not there, bad is true.
type fields struct {
	rest []byte
	bad  bool
}

func (r *fields) uint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *fields) text() string {
	n := r.uint()
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return ""
	}
	text := string(r.rest[:n])
	r.rest = r.rest[n:]
	return text
}

// subjectOf returns the subject of a topic and a key. The key is encoded, because names may hold any characters, while
// a space, a dot, '*' or '>' in a subject means something to a bus.
func subjectOf(t Topic, key string) string {
	if key == "" {
		return string(rune(t))
	}
	return string(rune(t)) + "." + base64.RawURLEncoding.EncodeToString([]byte(key))
}

// splitSubject is the inverse of subjectOf.
func splitSubject(subject string) (t Topic, key string, ok bool) {
	topic, encoded, hasKey := strings.Cut(subject, ".")
	if len(topic) != 1 {
		return 0, "", false
	}
	if !hasKey {
		return Topic(topic[0]), "", true
	}
	decoded, err := base64.RawURLEncoding.DecodeString(encoded)
	return Topic(topic[0]), string(decoded), err == nil && len(decoded) > 0
}
