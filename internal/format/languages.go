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

// languages are the names of the lexers that colour code: the languages that people paste. The
// other two hundred lexers would be as many more to trust.
var languages = []string{
	"Bash", "C", "C#", "C++", "Clojure", "CMake", "CSS", "Dart", "Diff", "Docker", "Elixir", "Elm", "Erlang",
	"Go", "GraphQL", "Haskell", "HTML", "INI", "Java", "JavaScript", "JSON", "Julia", "Kotlin", "Lua", "Makefile",
	"Nginx configuration file", "Nix", "Objective-C", "OCaml", "Perl", "PHP", "PowerShell", "Protocol Buffer",
	"Python", "R", "Ruby", "Rust", "Scala", "SCSS", "SQL", "Swift", "Terraform", "TOML", "TypeScript",
	"VimL", "XML", "YAML", "Zig",
}

// knownLexers has the lexers by every word that a fence may use: name, alias, or file extension.
// (The library's own search for an unknown name takes 13 ms.)
var knownLexers = sync.OnceValue(func() map[string]chroma.Lexer {
	regexp2.SetTimeoutCheckPeriod(maxMatch) // of the shared clock; its default of 100 ms would be too coarse
	registry := chroma.NewLexerRegistry()   // for embedded code: HTML contains CSS and JavaScript
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
	known["jsx"] = known["javascript"] // its own lexer takes 20 times as long for some texts
	return known
})

// withMatchTimeout returns a copy of lexer whose matches give up after maxMatch. The library sets
// 250 ms when it compiles the rules, and after that calls mutators such as timeoutMutator, which
// can change them.
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

// timeoutMutator is a rule that sets the timeouts of the other rules and then removes itself.
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
