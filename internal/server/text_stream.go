package server

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"
	_ "time/tzdata" // so that zones are known where the machine has no such files, as in a container

	"parley/internal/account"
	"parley/internal/chat"
	"parley/internal/wire"
)

// textPatience is how long a client of a text stream may read nothing. It is the
// default of room.Config.StallTimeout.
const textPatience = 30 * time.Second

const textType = "text/plain; charset=utf-8"

// roomText answers GET /api/rooms/{room}/text: a room as lines of plain text, with
// times in the zone that the client names. So the lines differ from client to client,
// and each has a Follow of its own.
func (s *Server) roomText(w http.ResponseWriter, r *http.Request) {
	s.openStream(w, r, textType, func(o openRequest) error {
		zone, err := time.LoadLocation(r.FormValue("zone")) // UTC if there is none
		if err != nil {
			return &chat.Error{
				Code: chat.BadRequest, Message: "“zone” is the name of a time zone, such as Europe/Berlin.",
			}
		}
		after, err := s.textPosition(r.Context(), o)
		if err == nil {
			s.writeText(w, r, o, after, zone)
		}
		return err
	})
}

// textPosition returns the event after which a text stream begins. It counts as one
// read.
func (s *Server) textPosition(ctx context.Context, o openRequest) (chat.Seq, error) {
	query, err := s.hub.NewQuery(o.who)
	if err != nil {
		return 0, err
	}
	defer query.Close(0)
	if j := o.from; j.After != nil {
		return *j.After, s.hub.CheckPosition(ctx, o.who, o.room, *j.After, j.At, j.Epoch)
	}
	head, _, _, err := s.hub.State(ctx, o.who, o.room)
	return head, err
}

// writeText writes a room's events after a seq until the client disconnects or stalls,
// its session is ended or the server stops.
func (s *Server) writeText(
	w http.ResponseWriter, r *http.Request, o openRequest, after chat.Seq, zone *time.Location,
) {
	st := s.links.NewStream()
	defer st.Wait()
	end := func(why string) { st.Finish(func(dst []byte) []byte { return wire.AppendTextEnd(dst, why) }) }
	var wrote atomic.Bool // since the last filler
	filler := func() string {
		if wrote.Swap(false) {
			return ""
		}
		return "\n"
	}
	describeStream(w.Header(), textType)
	st.Run(w, r, func(ctx context.Context) {
		if awaitSessionEnd(ctx, st.Out(), o.over, filler) {
			s.counted(chat.SessionEnded)
			end(account.ErrSessionEnded.Message)
		}
	}, func(ctx context.Context) {
		for e, err := range s.hub.Follow(ctx, o.who, o.room, after) {
			if err != nil {
				end(s.door.Problem(ctx, err).Detail)
				return
			}
			line := wire.AppendTextLine(nil, e, zone)
			if len(line) == 0 {
				continue
			}
			if st.Write(ctx, line, textPatience) != nil { // the stream has ended
				return
			}
			wrote.Store(true)
		}
	})
}
