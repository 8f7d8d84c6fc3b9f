package search

import (
	"context"
	"errors"

	"parley/internal/chat"
)

// A sourceFault is an error of the Source. It says nothing about the index, although it may come from the same library.
type sourceFault struct{ error }

func (f sourceFault) Unwrap() error { return f.error }

func isSourceFault(err error) bool {
	_, ok := errors.AsType[sourceFault](err)
	return ok
}

// faults is a Source that marks its errors as sourceFaults.
type faults struct{ source Source }

func (f faults) Heads(ctx context.Context) (map[chat.RoomName]chat.Seq, error) {
	return tagged(f.source.Heads(ctx))
}

func (f faults) After(ctx context.Context, room chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error) {
	return tagged(f.source.After(ctx, room, seq, limit))
}

func (f faults) Deletions(ctx context.Context, room chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error) {
	return tagged(f.source.Deletions(ctx, room, seq, limit))
}

func (f faults) Texts(ctx context.Context, places []chat.MessageRef) ([]chat.Event, error) {
	return tagged(f.source.Texts(ctx, places))
}

func tagged[T any](v T, err error) (T, error) {
	if err != nil {
		err = sourceFault{err}
	}
	return v, err
}
