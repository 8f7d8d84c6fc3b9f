package rest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"parley/internal/httpdoor"

	_ "embed"

	"github.com/danielgtaylor/huma/v2"

	"parley/internal/chat"
)

//go:embed api_docs.html
var docsHTML string

// apiDocs is the page that shows the OpenAPI document to people. It is rendered
// once, has no script, and loads nothing.
type apiDocs struct{ page []byte }

func newDocs(doc *huma.OpenAPI) (*apiDocs, error) {
	t, err := template.New("docs").Funcs(template.FuncMap{"code": codeSpans, "breakable": breakable}).Parse(docsHTML)
	if err != nil {
		return nil, fmt.Errorf("the page of the API: %w", err)
	}
	view, err := newDocsView(doc)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, view); err != nil {
		return nil, fmt.Errorf("the page of the API: %w", err)
	}
	return &apiDocs{page: b.Bytes()}, nil
}

func (d *apiDocs) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", httpdoor.PlainPolicy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
	w.Write(d.page) // fails only if the client has disconnected
}

// The data of the template.
type (
	docsView struct {
		Title, About string
		Style        template.CSS
		Tags         []docsTag
		Codes        []docsCode
	}
	docsTag struct {
		Name, About string
		Operations  []docsOperation
	}
	docsOperation struct {
		ID, Method, Path, Summary, About string
		Identified                       string
		Params                           []docsField
		Body                             docsBody
		Answers                          []docsAnswer
		Curl                             string
	}
	docsField struct {
		Name, In, Type, About string
		Required              bool
	}
	docsBody struct {
		Fields  []docsField
		Example string
	}
	docsAnswer struct {
		Status, About string
		Problem       bool
		Body          docsBody
	}
	docsCode struct {
		Code        chat.Code
		Status      int
		Means, Todo string
	}
)

func newDocsView(doc *huma.OpenAPI) (docsView, error) {
	v := docsView{Title: doc.Info.Title, About: doc.Info.Description, Style: template.CSS(httpdoor.PlainCSS)}
	for _, tag := range doc.Tags {
		v.Tags = append(v.Tags, docsTag{Name: tag.Name, About: tag.Description})
	}
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op == nil {
				continue
			}
			shown, err := showOperation(doc, op)
			if err != nil {
				return v, err
			}
			i := slices.IndexFunc(v.Tags, func(t docsTag) bool { return slices.Contains(op.Tags, t.Name) })
			if i < 0 {
				return v, fmt.Errorf("the page of the API: %s %s has no tag that is described", op.Method, op.Path)
			}
			v.Tags[i].Operations = append(v.Tags[i].Operations, shown)
		}
	}
	for _, tag := range v.Tags {
		slices.SortFunc(tag.Operations, func(a, b docsOperation) int {
			return cmp.Or(strings.Compare(a.Path, b.Path), -strings.Compare(a.Method, b.Method))
		})
	}
	for _, code := range chat.Codes {
		w := httpdoor.Errors[code]
		v.Codes = append(v.Codes, docsCode{code, w.Status, w.Means, w.Advice})
	}
	return v, nil
}

func showOperation(doc *huma.OpenAPI, op *huma.Operation) (docsOperation, error) {
	shown := docsOperation{
		ID: op.OperationID, Method: op.Method, Path: op.Path, Summary: op.Summary, About: op.Description,
	}
	switch {
	case len(op.Security) > len(identified):
		shown.Identified = "With a session, or as a new guest."
	case len(op.Security) > 0:
		shown.Identified = "With a session."
	}
	for _, p := range op.Parameters {
		shown.Params = append(shown.Params, docsField{p.Name, p.In, typeOf(p.Schema), p.Description, p.Required})
	}
	if op.RequestBody != nil {
		var err error
		if shown.Body, err = showBody(doc, op.RequestBody.Content["application/json"]); err != nil {
			return shown, err
		}
	}
	for status, r := range op.Responses {
		a := docsAnswer{Status: status, About: r.Description, Problem: r.Content["application/problem+json"] != nil}
		var err error
		if a.Body, err = showBody(doc, r.Content["application/json"]); err != nil {
			return shown, err
		}
		shown.Answers = append(shown.Answers, a)
	}
	slices.SortFunc(shown.Answers, func(a, b docsAnswer) int { return strings.Compare(a.Status, b.Status) })
	shown.Curl = curl(op, shown.Body)
	return shown, nil
}

func showBody(doc *huma.OpenAPI, m *huma.MediaType) (docsBody, error) {
	if m == nil {
		return docsBody{}, nil
	}
	example, err := json.MarshalIndent(m.Example, "", "  ")
	if err != nil {
		return docsBody{}, fmt.Errorf("an example of the API: %w", err)
	}
	body := docsBody{Example: string(example)}
	schema := m.Schema
	if schema != nil && schema.Ref != "" {
		schema = doc.Components.Schemas.SchemaFromRef(schema.Ref)
	}
	if schema == nil {
		return body, nil
	}
	for name, field := range schema.Properties {
		body.Fields = append(body.Fields, docsField{
			Name: name, Type: typeOf(field), About: field.Description, Required: slices.Contains(schema.Required, name),
		})
	}
	// In the order of the answer, which is that of the example; others come last.
	slices.SortFunc(body.Fields, func(a, b docsField) int {
		return cmp.Or(
			fieldOffset(body.Example, a.Name)-fieldOffset(body.Example, b.Name), strings.Compare(a.Name, b.Name),
		)
	})
	return body, nil
}

func fieldOffset(example, name string) int {
	if i := strings.Index(example, "\n  \""+name+"\""); i >= 0 {
		return i
	}
	return len(example)
}

func typeOf(s *huma.Schema) string {
	switch {
	case s == nil:
		return ""
	case s.Ref != "":
		return strings.ToLower(s.Ref[strings.LastIndex(s.Ref, "/")+1:])
	case s.Type == huma.TypeArray:
		return "list of " + typeOf(s.Items)
	case s.Format == "date-time":
		return "time"
	}
	return s.Type
}

// curl returns a shell command that sends the example.
func curl(op *huma.Operation, body docsBody) string {
	command := "curl"
	if body.Example != "" {
		var b bytes.Buffer
		if err := json.Compact(&b, []byte(body.Example)); err == nil {
			command += " --json '" + b.String() + "'"
		}
	}
	if op.Method != http.MethodGet && op.Method != http.MethodPost {
		command += " -X " + op.Method
	}
	if len(op.Security) > 0 && len(op.Security) <= len(identified) {
		command += " -H 'Authorization: Bearer SESSION'"
	}
	return command + " http://localhost:8080" + exampleParts.Replace(op.Path)
}

// exampleParts replaces the parameters of a path with examples.
var exampleParts = strings.NewReplacer("{room}", "lobby", "{seq}", "42", "{emoji}", "%F0%9F%91%8D")

// codeSpans returns HTML of a text that has `code` in it.
func codeSpans(text string) template.HTML {
	var b strings.Builder
	for i, part := range strings.Split(text, "`") {
		part = template.HTMLEscapeString(part)
		if i%2 == 1 {
			part = "<code>" + part + "</code>"
		}
		b.WriteString(part)
	}
	return template.HTML(b.String())
}

// breakable returns HTML of a path that may be broken before each slash.
func breakable(path string) template.HTML {
	return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(path), "/", "<wbr>/"))
}
