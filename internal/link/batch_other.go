//go:build !linux

package link

import "parley/internal/room"

// NewBatch returns nil: connections are written to one by one.
func NewBatch() room.Batch { return nil }
