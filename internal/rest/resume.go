package rest

import (
	"context"
	"fmt"
	"time"

	"parley/internal/chat"
	"parley/internal/wire"
)

// ResumeParam, in the input of an operation with “after”, identifies the event that
// the client means by “after”.
type ResumeParam struct {
	At    string `query:"at" doc:"When the event “after” was stored, as the server told it. If another event has its number now, the answer is 409."`
	Epoch string `query:"epoch" doc:"The epoch in which “after” was read. If the server has another one, the answer is 409."`
}

// resumes refuses a page if the event after is not the one that the client means.
// after is nil if the page does not begin after an event.
func (a *API) resumes(
	ctx context.Context, who chat.Who, name chat.RoomName, after *chat.Seq, p ResumeParam,
) error {
	at, err := wire.ParseTime(p.At)
	if err != nil || after == nil {
		return err
	}
	if err := a.hub.CheckPosition(ctx, who, name, *after, at, p.Epoch); err != nil {
		return fmt.Errorf("where a page of %s begins: %w", name, err)
	}
	return nil
}

// stampOf returns the time of a room's newest event, or nil if there is none.
func stampOf(at time.Time) *stamp {
	if at.IsZero() {
		return nil
	}
	return new(stamp(at))
}
