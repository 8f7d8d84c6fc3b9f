//go:build !linux

package netns

import (
	"errors"
	"os"
)

func newNamespace() (*os.File, error) { return nil, errors.ErrUnsupported }

func within(*os.File, func() error) error { return errors.ErrUnsupported }
