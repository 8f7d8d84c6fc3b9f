package postgres

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// PostgreSQL's error codes, of appendix A of its manual.
const (
	codeNoRights      = "42501"
	codeUnique        = "23505"
	codeTableExists   = "42P07"
	codeSerialization = "40001"
	codeDeadlock      = "40P01"
)

// codeOf returns PostgreSQL's code of err, "" if the database has not said it.
func codeOf(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func isCode(err error, codes ...string) bool {
	code := codeOf(err)
	for _, c := range codes {
		if code == c {
			return true
		}
	}
	return false
}

// isConcurrentMigration reports whether a migration failed because another node ran it meanwhile.
func isConcurrentMigration(err error) bool {
	return isCode(err, codeUnique, codeTableExists, codeSerialization, codeDeadlock)
}
