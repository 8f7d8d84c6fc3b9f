package torture

import "errors"

// freeze and thaw are for systems with signals.

func (p *Process) freeze() error { return errors.ErrUnsupported }
func (p *Process) thaw() error   { return errors.ErrUnsupported }
