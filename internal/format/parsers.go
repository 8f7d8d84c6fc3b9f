package format

import (
	emoji "github.com/yuin/goldmark-emoji"
	emojiast "github.com/yuin/goldmark-emoji/ast"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"parley/internal/chat"
)

// blockParsers returns CommonMark's block parsers without underlined headings, indented code and HTML, with our own
// quotes and lists, and with spoilers.
func blockParsers() []util.PrioritizedValue {
	return []util.PrioritizedValue{
		util.Prioritized(parser.NewThematicBreakParser(), 200),
		util.Prioritized(spoilerBlocks{}, 250),
		util.Prioritized(lists{parser.NewListParser()}, 300),
		util.Prioritized(listItems{parser.NewListItemParser()}, 400),
		util.Prioritized(parser.NewATXHeadingParser(), 600),
		util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
		util.Prioritized(quotes{parser.NewBlockquoteParser()}, 800),
		util.Prioritized(paragraphs{parser.NewParagraphParser()}, 1000),
	}
}

// inlineParsers returns CommonMark's inline parsers without HTML, with our own links, and with
// common extensions: tasks, strikethrough, spoilers, bare addresses, emoji.
func inlineParsers() []util.PrioritizedValue {
	return []util.PrioritizedValue{
		util.Prioritized(tasks{extension.NewTaskCheckBoxParser()}, 0),
		util.Prioritized(parser.NewCodeSpanParser(), 100),
		util.Prioritized(addresses{}, 150),
		util.Prioritized(shortCodes{emoji.NewParser()}, 200),
		util.Prioritized(emphasis{}, 500),
		util.Prioritized(spoilers{}, 500),
		util.Prioritized(links{}, 600),
	}
}

// tasks requires a space after the box: "[x](https://example.org)" is a link.
type tasks struct{ parser.InlineParser }

func (t tasks) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	if line, _ := block.PeekLine(); len(line) < 5 || line[3] != ' ' && line[3] != '\t' {
		return nil
	}
	return t.InlineParser.Parse(parent, block, pc)
}

// shortCodes parses emoji short-codes only if they stand alone, so that "std::x::y" and "10:100:5"
// stay text.
type shortCodes struct{ parser.InlineParser }

func (s shortCodes) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	before := block.PrecendingCharacter()
	_, afterEmoji := parent.LastChild().(*emojiast.Emoji)
	if (before == ':' || before != '_' && chat.IsSpacedWord(before)) && !afterEmoji {
		return nil
	}
	line, _ := block.PeekLine()
	end := 1 + shortCodeLen(string(line[1:])) + 1 // just after the second colon
	if end < len(line) && isAlphaNumeric(line[end]) {
		return nil
	}
	node, ok := s.InlineParser.Parse(parent, block, pc).(*emojiast.Emoji)
	if !ok || !node.Value.IsUnicode() { // some short-codes are pictures of one company, not in Unicode
		return nil
	}
	return node
}
