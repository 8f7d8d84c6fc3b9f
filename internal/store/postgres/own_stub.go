package postgres

// An ownWrite will be in own.go.
type ownWrite struct{}
