package postgres

import (
	"errors"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
)

// PostgreSQL's error codes, of appendix A of its manual.
const (
	codeWarning       = "01000"
	codeProtocol      = "08P01"
	codeStalePlan     = "0A000"
	codeUnique        = "23505"
	codeReadOnly      = "25006"
	codeNoStatement   = "26000"
	codeSerialization = "40001"
	codeDeadlock      = "40P01"
	codeNoRights      = "42501"
	codeTableExists   = "42P07"
	codeLocked        = "55P03"
)

// codeOf returns PostgreSQL's code of err, "" if the database has not said it.
func codeOf(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

func isCode(err error, codes ...string) bool { return slices.Contains(codes, codeOf(err)) }

// outcomeOf returns the outcome of a transaction that failed with err before its COMMIT, or instead of
// it.
func outcomeOf(err error) outcome {
	e, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case errors.Is(err, errRolledBack), errors.Is(err, errVanished):
		return conflict
	case !ok || e.Severity == "FATAL" || e.Severity == "PANIC":
		return lost
	}
	switch e.Code {
	case codeSerialization, codeDeadlock, codeUnique: // another node has written the same
		return conflict
	case codeStalePlan, codeNoStatement, codeReadOnly: // another connection works, or another host
		return lost
	}
	return failed
}

// mayBeCommitted reports whether a COMMIT that was sent and met err may have been carried out: the
// database has not said that it failed.
func mayBeCommitted(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return !errors.Is(err, errRolledBack) && (!ok || e.Severity == "FATAL" || e.Severity == "PANIC")
}

// isRefusal reports whether the database refuses what it was given, however often it gets it: it is
// no text, too long, or breaks a constraint.
func isRefusal(err error) bool {
	switch code := codeOf(err); {
	case len(code) != 5:
		return false
	case code[:2] == "22", code[:2] == "54": // data exception, program limit exceeded
		return true
	default:
		return code[:2] == "23" && code != codeUnique
	}
}

// isConcurrentMigration reports whether a migration failed because another node ran it meanwhile.
func isConcurrentMigration(err error) bool {
	return isCode(err, codeUnique, codeTableExists, codeSerialization, codeDeadlock)
}
