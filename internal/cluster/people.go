package cluster

import (
	"sync"

	"parley/internal/account"
	"parley/internal/chat"
)

// checkEvery is how often, in seconds, a node that does not hear all others reads the names and sessions of its people
// from the store. So a session that has ended on another node is out within ten seconds, in whatever way the bus fails.
const checkEvery = 5

// ConnectPeople lets the nodes tell each other what has changed about people: that a session has ended, that somebody
// has another name, that a list entry has changed. It must be called before node.Run, and accounts.Run must run too.
func ConnectPeople(node *Node, accounts *account.Accounts) {
	p := &people{node: node, accounts: accounts, listened: map[chat.PersonID]struct{}{}, checked: -checkEvery}
	accounts.SetOthers(p)
	node.Handle(Person, Handler{
		Receive: func(_ NodeID, key string, payload []byte) {
			accounts.Changed(chat.PersonID(key), chat.RoomName(payload))
		},
		Missed:     func(_ NodeID, key string) { accounts.Missed(chat.PersonID(key)) },
		EachSecond: p.eachSecond,
	})
}

// people are the account.Others of a node. A message about a person is the name of the room whose list entry has
// changed, or empty.
type people struct {
	node     *Node
	accounts *account.Accounts

	mu       sync.Mutex
	listened map[chat.PersonID]struct{}

	seconds, checked int // owned by node.Run: how often eachSecond was called, and had been at the last check
}

// Tell implements account.Others.
func (p *people) Tell(who chat.PersonID, room chat.RoomName) {
	p.node.Send(Person, string(who), []byte(room))
}

// Listen implements account.Others. Somebody who comes and goes often is listened to all the time, as only eachSecond
// ends it.
func (p *people) Listen(who chat.PersonID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, listened := p.listened[who]; !listened {
		p.listened[who] = struct{}{}
		p.node.Listen(Person, string(who))
	}
}

func (p *people) eachSecond(poll bool) {
	if p.seconds++; p.seconds%checkEvery == 0 {
		p.ignoreWhoLeft()
	}
	if poll && p.seconds-p.checked >= checkEvery {
		p.checked = p.seconds
		p.accounts.CheckSessions()
	}
}

// ignoreWhoLeft ends the listening to people who are not live here. Whoever comes back meanwhile is registered first
// and then waits in Listen, so nobody is ignored who is live.
func (p *people) ignoreWhoLeft() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for who := range p.listened {
		if !p.accounts.IsLive(who) {
			delete(p.listened, who)
			p.node.Ignore(Person, string(who))
		}
	}
}
