//go:build !linux

package server

import "parley/internal/room"

// NewBatch returns nil: connections are written to one by one.
func NewBatch() room.Batch { return nil }
