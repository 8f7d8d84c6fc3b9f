package format

import (
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"
	"github.com/dlclark/regexp2/v2"
)

// languages are those whose code is coloured, by their lexers' names: what people
// paste. Lexers for the other two hundred would be as many more to trust.
var languages = []string{
	"Bash", "C", "C#", "C++", "Clojure", "CMake", "CSS", "Dart", "Diff", "Docker", "Elixir", "Elm", "Erlang",
	"Go", "GraphQL", "Haskell", "HTML", "INI", "Java", "JavaScript", "JSON", "Julia", "Kotlin", "Lua", "Makefile",
	"Nginx configuration file", "Nix", "Objective-C", "OCaml", "Perl", "PHP", "PowerShell", "Protocol Buffer",
	"Python", "R", "Ruby", "Rust", "Scala", "SCSS", "SQL", "Swift", "Terraform", "TOML", "TypeScript",
	"VimL", "XML", "YAML", "Zig",
}

// knownLexers are the languages' lexers by what a fence may call them: name,
// aliases, or the end of a file's name. (The library's own search for a name that
// it does not know takes 13 ms.)
var knownLexers = sync.OnceValue(func() map[string]chroma.Lexer {
	regexp2.SetTimeoutCheckPeriod(maxMatch) // of the clock that they share: 100 ms would be too coarse
	registry := chroma.NewLexerRegistry()   // for code within code: HTML has CSS and JavaScript in it
	known := map[string]chroma.Lexer{}
	for _, name := range languages {
		lexer := registry.Register(withMatchTimeout(lexers.Get(name)))
		for _, file := range lexer.Config().Filenames {
			if end, ok := strings.CutPrefix(file, "*."); ok && known[end] == nil {
				known[strings.ToLower(end)] = lexer
			}
		}
	}
	for _, lexer := range registry.Lexers {
		for _, alias := range append(lexer.Config().Aliases, lexer.Config().Name) {
			known[strings.ToLower(alias)] = lexer
		}
	}
	known["jsx"] = known["javascript"] // whose own lexer takes 20 times as long for some texts
	return known
})

// withMatchTimeout returns a lexer like the given one whose matches give up after
// maxMatch. The library sets 250 ms when it compiles the rules, and then lets
// rules change the others.
func withMatchTimeout(lexer chroma.Lexer) chroma.Lexer {
	slow, ok := lexer.(*chroma.RegexLexer)
	if !ok {
		panic(lexer.Config().Name + " is no list of rules")
	}
	return chroma.MustNewLexer(slow.Config(), func() chroma.Rules {
		rules := slow.MustRules().Clone()
		rules["root"] = append(rules["root"], chroma.Rule{Mutator: timeoutMutator{}})
		return rules
	})
}

// timeoutMutator is a rule that is gone once it has changed the others.
type timeoutMutator struct{}

func (timeoutMutator) MutateLexer(rules chroma.CompiledRules, state string, rule int) error {
	for _, ofState := range rules {
		for _, r := range ofState {
			r.Regexp.MatchTimeout = maxMatch
		}
	}
	rules[state] = slices.Delete(rules[state], rule, rule+1)
	return nil
}

func (timeoutMutator) Mutate(*chroma.LexerState) error {
	return errors.New("a rule for the compiler was matched")
}
