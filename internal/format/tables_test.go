package format

import "testing"

func TestTable(t *testing.T) {
	const head = "<table><thead><tr><th>a</th><th>b</th></tr></thead>"
	checkHTML(t, map[string]struct{ text, want string }{
		"table": {
			"| a | b |\n|---|---|\n| 1 | *2* |", head + "<tbody><tr><td>1</td><td><em>2</em></td></tr></tbody></table>",
		},
		"bare":       {"a|b\n-|-\n1|2", head + "<tbody><tr><td>1</td><td>2</td></tr></tbody></table>"},
		"head alone": {"|a|b|\n|-|-|", head + "</table>"},
		"ragged": {
			"|a|b|\n|-|-|\n|1|\n|1|2|3|",
			head + "<tbody><tr><td>1</td><td></td></tr><tr><td>1</td><td>2</td><td>3</td></tr></tbody></table>",
		},
		"sides": {
			"|a|b|c|d|\n|:-|:-:|-:|-|",
			`<table><thead><tr><th align="left">a</th><th align="center">b</th><th ` +
				`align="right">c</th><th>d</th></tr></thead></table>`,
		},
		"after text": {"see\n|a|b|\n|-|-|\n\nso", "<p>see</p>" + head + "</table><p>so</p>"},
		"in a quote": {"> |a|b|\n> |-|-|", "<blockquote>" + head + "</table></blockquote>"},
		"escaped bar": {
			"|a|b|\n|-|-|\n|1\\|2|`3\\|4`|",
			head + "<tbody><tr><td>1|2</td><td><code>3|4</code></td></tr></tbody></table>",
		},
		"markup": {
			"|a|b|\n|-|-|\n|<td>|**<b>**|",
			head + "<tbody><tr><td>&lt;td&gt;</td><td><strong>&lt;b&gt;</strong></td></tr></tbody></table>",
		},

		"no bars":         {"**a**\n--\nb", "<p><strong>a</strong><br>--<br>b</p>"},
		"unequal columns": {"**a**|b|c\n-|-", "<p><strong>a</strong>|b|c<br>-|-</p>"},
		"no line between": {"|**a**|b|\n|1|2|", "<p>|<strong>a</strong>|b|<br>|1|2|</p>"},
	})
}
