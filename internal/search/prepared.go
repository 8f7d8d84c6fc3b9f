package search

import (
	"context"
	"database/sql"
)

// prepared holds the statements of one transaction or search. Each is prepared when first used, because preparing one
// takes as long as reading a row.
type prepared struct {
	on interface {
		PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	}
	byText map[string]*sql.Stmt
}

func (p *prepared) get(ctx context.Context, text string) (*sql.Stmt, error) {
	if stmt, ok := p.byText[text]; ok {
		return stmt, nil
	}
	stmt, err := p.on.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	if p.byText == nil {
		p.byText = make(map[string]*sql.Stmt)
	}
	p.byText[text] = stmt
	return stmt, nil
}

// QueryContext runs a statement that returns rows.
func (p *prepared) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	stmt, err := p.get(ctx, text)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// exec runs a statement that returns nothing.
func (p *prepared) exec(ctx context.Context, text string, args ...any) error {
	stmt, err := p.get(ctx, text)
	if err == nil {
		_, err = stmt.ExecContext(ctx, args...)
	}
	return err
}

// scan runs a statement that returns one row, into dest. The error is sql.ErrNoRows if it
// returns none.
func (p *prepared) scan(ctx context.Context, dest []any, text string, args ...any) error {
	stmt, err := p.get(ctx, text)
	if err != nil {
		return err
	}
	return stmt.QueryRowContext(ctx, args...).Scan(dest...)
}

// close closes the statements.
func (p *prepared) close() {
	for _, stmt := range p.byText {
		stmt.Close() // cannot fail any more
	}
}
