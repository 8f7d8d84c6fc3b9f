// Package cluster lets the nodes that share one database tell each other what they did. Start reading at Node.
//
// Its messages are hints: the bus may lose, double, reorder and delay them. The store has the truth. A node notices
// each message that it may have lost and says so (Handler.Missed), and then whoever needs to know reads the store.
//
// The package does not know how the bus works (natsbus does), what SQL is, or how anything reaches a client.
package cluster

import "time"

// A Bus carries messages between nodes. It may lose, double, reorder and delay them. Subjects consist of letters,
// digits, '-', '_' and '.', whatever the keys are. Only Close waits for a network: callers hold locks.
type Bus interface {
	// Publish sends a message to all other nodes that subscribe to the subject. It drops what the bus cannot take.
	Publish(subject string, payload []byte)
	Subscribe(subject string)
	Unsubscribe(subject string)
	Messages() <-chan Message // of all subscriptions; what does not fit is dropped
	IsConnected() bool
	Close() error
}

// A Message is what came over the bus. Whoever receives it must not change the payload, but may keep it.
type Message struct {
	Subject string
	Payload []byte
}

// A NodeID names one run of one process: the node's name, a slash and eight random digits. A process that starts again
// is a new node.
type NodeID string

// A Topic is a kind of message. Each message has a topic and a key.
type Topic byte

// The topics.
const (
	Events    Topic = 'e' // stored events of a room; the key is the room's name
	Members   Topic = 'm' // presence and typing in a room; the key is the room's name
	Person    Topic = 'p' // what changed about a person; the key is the person's id
	Everybody Topic = 'n' // for all nodes; the key is ""
	Limits    Topic = 'l' // what limits have counted; the key is ""
)

// A Handler is what a part of the server does with the messages of one topic. Each function may be nil. All functions
// of all handlers are called one after the other; none may take longer than some milliseconds.
type Handler struct {
	// Receive takes a message of another node.
	Receive func(from NodeID, key string, payload []byte)
	// Missed says that a message of from about key may have been lost: read the store. from is "" if it can have been
	// any node.
	Missed func(from NodeID, key string)
	// EachSecond is called once a second, and when the beats of a node become late. If poll is set, some nodes may not
	// tell what they have stored, or their messages do not come: read the store now.
	EachSecond func(poll bool)
	// PeerJoined says that another node has appeared.
	PeerJoined func(NodeID)
	// PeerLeft says that a node has stopped or has been silent for five seconds.
	PeerLeft func(NodeID)
}

// A Peer is another node.
type Peer struct {
	ID    NodeID
	Since time.Time // when its first beat came here
}
