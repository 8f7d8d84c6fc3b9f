package torture

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/anishathalye/porcupine"
)

// An op is a message that took a seq, or a read of the newest one.
type op struct {
	look             bool
	called, answered Tick // answered is 0 if no answer came
	seq              int64
}

// appendOnly is a room for writers and for readers of its end: a number to which each message adds
// 1.
var appendOnly = porcupine.Model{
	Init: func() any { return int64(0) },
	Step: func(state, input, output any) (bool, any) {
		end, seq := state.(int64), output.(int64)
		if input.(bool) {
			return seq == end, end
		}
		return seq == end+1, seq
	},
}

// searched is porcupine's verdict on a history, which it finds by trying orders.
func searched(ops []op) bool {
	var history []porcupine.Operation
	for i, o := range ops {
		end := int64(o.answered)
		if end == 0 {
			end = math.MaxInt64
		}
		history = append(history,
			porcupine.Operation{ClientId: i, Input: o.look, Call: int64(o.called), Output: o.seq, Return: end})
	}
	return porcupine.CheckOperations(appendOnly, history)
}

// ruled is the checker's verdict.
func ruled(ops []op) bool {
	e := Evidence{Histories: []History{{Room: "r"}}}
	h := &e.Histories[0]
	for i, o := range ops {
		name := strconv.Itoa(i)
		if o.look {
			e.Looks = append(e.Looks,
				HeadRead{Reader: name, Room: "r", Called: o.called, Answered: o.answered, Head: o.seq})
			continue
		}
		a := Attempt{
			Author: name, Room: "r", Nonce: name, Kind: Message, Text: name, Called: o.called, Answered: o.answered,
		}
		if o.answered != 0 {
			a.Seq = o.seq
		}
		e.Attempts = append(e.Attempts, a)
		h.Events = append(h.Events, Event{Seq: o.seq, Kind: Message, Author: name, Text: name})
	}
	slices.SortFunc(h.Events, func(a, b Event) int { return int(a.Seq - b.Seq) })
	for _, m := range h.Events {
		h.Messages = append(h.Messages, MessageState{Seq: m.Seq, Author: m.Author, Text: m.Text})
	}
	h.Head = int64(len(h.Events))
	return len(Check(e)) == 0
}

// history makes up a correct history of some concurrent messages and reads.
func history(rnd *rand.Rand) (ops []op) {
	var end int64
	n := 2 + rnd.IntN(6)
	for i := range n {
		at := Tick(100 * (i + 1)) // when it takes effect
		o := op{look: rnd.IntN(3) == 0, called: at - Tick(rnd.IntN(250)), answered: at + Tick(rnd.IntN(250))}
		if !o.look {
			end++
		}
		o.seq = end
		if !o.look && rnd.IntN(6) == 0 {
			o.answered = 0
		}
		ops = append(ops, o)
	}
	return ops
}

// spoil changes one thing in a history, which may or may not make it wrong.
func spoil(rnd *rand.Rand, ops []op) {
	a, b := &ops[rnd.IntN(len(ops))], &ops[rnd.IntN(len(ops))]
	switch {
	case a.look:
		a.seq = max(0, a.seq+int64(rnd.IntN(3))-1)
	case !b.look:
		a.seq, b.seq = b.seq, a.seq
	default:
		a.called, b.called = a.called-100, b.called-100
	}
}

// apart makes all ticks different, as in a ledger, and keeps their order.
func apart(ops []op) {
	var ticks []*Tick
	for i := range ops {
		ticks = append(ticks, &ops[i].called)
		if ops[i].answered != 0 {
			ticks = append(ticks, &ops[i].answered)
		}
	}
	slices.SortStableFunc(ticks, func(a, b *Tick) int { return int(*a - *b) })
	for i, t := range ticks {
		*t = Tick(i + 1)
	}
}

// The rule that compares times must agree with a search for an order, for every history.
func TestOrderRuleAgreesWithASearch(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 0))
	verdicts := map[bool]int{}
	for range 5000 {
		ops := history(rnd)
		for range rnd.IntN(3) {
			spoil(rnd, ops)
		}
		apart(ops)
		want := searched(ops)
		verdicts[want]++
		if got := ruled(ops); got != want {
			t.Fatalf("the rule says %t, the search %t, of %+v", got, want, ops)
		}
	}
	if min(verdicts[true], verdicts[false]) < 500 {
		t.Errorf("one-sided: %v", verdicts)
	}
	t.Log(verdicts)
}
